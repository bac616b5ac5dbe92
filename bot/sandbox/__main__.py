"""Run the whole system on this machine until Ctrl-C: `python -m bot.sandbox`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from bot.sandbox.servers import ProcessError
from bot.sandbox.system import FIELD_TEAM, Addresses, run_system
from classifier_infra.model.manifest import ManifestError, load_manifest

EPILOG = """example:
  python -m bot.sandbox --model build/models/starter
  Then open the Slack address that it prints, write a message as a customer, and watch the bot reply in the thread.

Set POWERTOOLS_LOG_LEVEL=INFO in the environment to see the functions' logs.
"""


def main(arguments: list[str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    try:
        load_manifest(options.model / "manifest.json")
        return _run(options.model, options.port)
    except ManifestError as error:
        return _fail(2, f"{error}\nTrain a model first: python -m training train DATA_DIR --out {options.model}")
    except ProcessError as error:
        return _fail(1, str(error))
    except OSError as error:
        return _fail(1, f"Ports {options.port} and {options.port + 1} cannot be used: {error.strerror}. Try --port 0.")


def _run(model: Path, port: int) -> int:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with run_system(model, port) as addresses:
        _show(addresses)
        stopped.wait()
        print("Stopping.", flush=True)
    return 0


def _show(addresses: Addresses) -> None:
    print(
        f"""
  Slack     {addresses.slack}/   write as a customer; the bot replies in the thread
  Demo page {addresses.gateway}/   try the classifier by itself
  API       curl -X PUT {addresses.gateway}/blazingtext -H 'Content-Type: application/json' \\
              -d '{{"body": "I was charged twice"}}'

  Install   {addresses.gateway}/slack/install   installs the bot in a second workspace:
            {addresses.slack}/workspaces/{FIELD_TEAM}/
  Webhooks  {addresses.webhooks}/received   the calls of the policy's webhooks, whatever their URLs

  Everything runs on this machine. All data is discarded when you press Ctrl-C.
""",
        flush=True,
    )


def _fail(code: int, message: str) -> int:
    print(message, file=sys.stderr)
    return code


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.sandbox",
        description="Run the whole system on this machine, without an AWS account or a Slack workspace.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", type=Path, default=Path("build/models/starter"), metavar="MODEL_DIR",
        help="folder with model.tar.gz and manifest.json (default: %(default)s, made by `make train-starter`)",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=8000,
        help="port of the Slack page; the gateway uses the next one; 0 picks free ports (default: %(default)s)",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
