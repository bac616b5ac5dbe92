"""`python -I -B cold_start_child.py FOLDERS MODULE EVENT`: load a handler as Lambda does and send it one event.

Prints a JSON object with the milliseconds until the answer (wall and processor time), its status, and the resident
memory in MB. Imports only from FOLDERS, joined as in a PATH.
"""

import time

STARTED = time.perf_counter(), time.process_time()

import sys  # noqa: E402


class Context:
    """The attributes of Lambda's context that the handlers use."""

    function_name = "cold-start"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:cold-start"


def main() -> None:
    _, folders, module, event_file = sys.argv
    sys.path[:0] = folders.split(":")
    import importlib

    handler = importlib.import_module(module).handler
    import json

    with open(event_file, encoding="utf-8") as file:
        event = json.load(file)
    answer = handler(event, Context())
    took = {"milliseconds": time.perf_counter() - STARTED[0], "processor": time.process_time() - STARTED[1]}
    measured = {name: seconds * 1000 for name, seconds in took.items()}
    print(json.dumps({**measured, "status": answer["statusCode"], "megabytes": resident_megabytes()}))


def resident_megabytes() -> float:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


main()
