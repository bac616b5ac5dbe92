"""`python -m bot.sandbox.slack`."""

import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from bot.sandbox.slack.__main__ import main


def test_it_prints_its_address_serves_the_page_and_ends_quietly_on_ctrl_c():
    command = [sys.executable, "-m", "bot.sandbox.slack", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().removeprefix("Stand-in Slack: ").strip()
        wait_for_the_page(url)

        process.send_signal(signal.SIGINT)

        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def wait_for_the_page(url):
    # The address is printed once the port is open: a connection made before the server is up waits for it.
    page = httpx2.get(url, timeout=30)
    assert "<title>Sandbox</title>" in page.text


def test_a_port_in_use_is_said_plainly(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code = main(["--port", str(port)])

    assert code == 1
    assert capsys.readouterr().err == f"Port {port} cannot be used: Address already in use. Try --port 0.\n"


@pytest.mark.parametrize("port", ["99999", "-1", "eighty"])
def test_what_is_no_port_is_a_usage_error(capsys, port):
    with pytest.raises(SystemExit) as ended:
        main([f"--port={port}"])

    assert ended.value.code == 2
    assert f"'{port}' is not a port number" in capsys.readouterr().err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])

    assert "python -m bot.sandbox.slack --port 8100 --events-url" in capsys.readouterr().out
