"""`python -I -B cold_start_child.py FOLDERS MODULE EVENT`: load a handler as Lambda does, have it answer one event.

Prints a JSON object: milliseconds until the answer, by the clock and of the processor, its status, the megabytes that
the process holds then. Runs by
itself, with what is in FOLDERS (joined as in a PATH) and nothing else.
"""

import time

STARTED = time.perf_counter(), time.process_time()

import sys  # noqa: E402


class Context:
    """As much of Lambda's as the handlers look at."""

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
