"""Servers that the sandbox starts as child processes: on loopback only, and stopped with their parent."""

import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from bot.sandbox.servers import ProcessError, run_ministack

STARTS_AND_IS_KILLED = """
import os
from bot.sandbox.servers import run_ministack
with run_ministack() as url:
    print(url, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_it_listens_on_the_loopback_address_only(ministack_url):
    port = urllib.parse.urlsplit(ministack_url).port

    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(OSError):  # noqa: PT011, how it fails differs between systems
        # Reaches whatever listens on all addresses, without needing a second network interface.
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_it_is_gone_after_the_with_block():
    with run_ministack() as url:
        pass

    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_it_does_not_outlive_a_parent_that_is_killed():
    parent = subprocess.run([sys.executable, "-c", STARTS_AND_IS_KILLED], stdout=subprocess.PIPE, text=True)

    assert _goes_away(int(parent.stdout.rpartition(":")[2]))


def test_without_its_environment_the_error_says_how_to_make_it(tmp_path: Path):
    with pytest.raises(ProcessError, match=r"make \.venv-ministack/\.ready"), run_ministack(tmp_path / "python"):
        pass


def test_a_start_that_fails_tells_what_was_said(tmp_path: Path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module named ministack\nexit 1\n")
    broken.chmod(0o755)

    with pytest.raises(ProcessError, match="no module named ministack"), run_ministack(broken):
        pass


def _goes_away(port: int) -> bool:
    """Connect until the connection is refused; the test's time limit bounds the wait."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            continue
