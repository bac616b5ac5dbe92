"""Run the stand-in Slack by itself until Ctrl-C: `python -m bot.sandbox.slack`."""

import argparse
import os
import socket
import sys
from contextlib import suppress

from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Settings

EPILOG = """example:
  python -m bot.sandbox.slack --port 8100 --events-url http://127.0.0.1:8101/slack/events
  Then open http://127.0.0.1:8100/ and write a message as a customer.

Give the app SLACK_API_URL=http://127.0.0.1:8100/api/ and the same SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN as this
program, which reads both from the environment (default: "sandbox-secret" and "xoxb-sandbox").
"""


def main(arguments: list[str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    server = Server(create_app(build_workspace(), _settings(options)))
    try:
        listener = socket.create_server(("127.0.0.1", options.port))
    except OSError as error:
        print(f"Port {options.port} cannot be used: {os.strerror(error.errno or 0)}. Try --port 0.", file=sys.stderr)
        return 1
    with listener, suppress(KeyboardInterrupt):
        print(f"Stand-in Slack: http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        server.run(sockets=[listener])
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        signing_secret=os.environ.get("SLACK_SIGNING_SECRET", "sandbox-secret"),
        bot_token=os.environ.get("SLACK_BOT_TOKEN", "xoxb-sandbox"),
        events_url=options.events_url,
        commands_url=options.commands_url,
        interactivity_url=options.interactivity_url,
        demo_url=options.demo_url,
        retry_delays=tuple(options.retry_delays),
    )


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.sandbox.slack",
        description="Run a stand-in Slack on this machine: Web API, signed events, and a page for writing messages.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=8100, help="0 picks a free port (default: %(default)s)")
    app = parser.add_argument_group("URLs of the app; requests of a kind without a URL are not sent")
    app.add_argument("--events-url", metavar="URL", help="Events API")
    app.add_argument("--commands-url", metavar="URL", help="slash commands")
    app.add_argument("--interactivity-url", metavar="URL", help="buttons, menus, shortcuts and modals")
    parser.add_argument("--demo-url", metavar="URL", help="a page to link to in the sidebar")
    parser.add_argument(
        "--retry-delays", type=float, nargs="*", default=[0.0, 5.0, 20.0], metavar="SECONDS",
        help="delay before each retry of an event; Slack's own are 0 60 300 (default: 0 5 20)",
    )  # fmt: skip
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
