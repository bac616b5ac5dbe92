from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.slack.files import MOST_BYTES, FileReader, FileUnreadable, UploadedFile, is_slacks, read_file_object

SLACK = "https://slack.com/api/"


class Host:
    """Serves one answer, and notes who asked with which token."""

    def __init__(self) -> None:
        self.answer = Response(b"version: 1\n", media_type="text/plain")
        self.tokens: list[str | None] = []

    async def give(self, request):
        self.tokens.append(request.headers.get("authorization"))
        return self.answer


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def origin(serve, host) -> str:
    return serve(Starlette(routes=[Route("/{path:path}", host.give)]))


@pytest.fixture
def read(origin):
    """Read a file of the host, whose API is beside it."""

    def read(place: str = "files-pri/T0-F0/policy.yml", size: int = 0) -> str:
        return FileReader(f"{origin}/api/", "xoxb-1").read(UploadedFile("policy.yml", f"{origin}/{place}", size))

    return read


def fault_of(read, *arguments) -> str:
    with pytest.raises(FileUnreadable) as failure:
        read(*arguments)
    return failure.value.fault


def test_a_file_is_read_with_the_bots_token(read, host):
    assert read() == "version: 1\n"
    assert host.tokens == ["Bearer xoxb-1"]


def test_the_mark_of_utf_8_and_the_line_ends_of_windows_are_no_part_of_the_text(read, host):
    host.answer = Response("\ufeffversion: 1\r\nunsure: ask\r\n".encode())

    assert read() == "version: 1\nunsure: ask\n"


@pytest.mark.parametrize(
    "url",
    ["https://files.slack.com/files-pri/T0-F0/policy.yml", "https://slack.com/files-pri/T0-F0/policy.yml"],
)
def test_slacks_hosts_are_those_of_its_api(url):
    assert is_slacks(urlsplit(url), SLACK)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/files-pri/T0-F0/policy.yml",
        "https://files.slack.com.example.com/policy.yml",
        "https://files.slack.com@example.com/policy.yml",
        "https://example.com/?https://files.slack.com/",
        "https://evilslack.com/policy.yml",
        "https://files.slack.com:8443/policy.yml",
        "http://files.slack.com/policy.yml",
        "file:///etc/passwd",
        "//files.slack.com/policy.yml",
        "",
    ],
)
def test_no_other_host_is_slacks(url):
    assert not is_slacks(urlsplit(url), SLACK)


def test_nobody_else_is_sent_the_token(origin, host):
    reader = FileReader(SLACK, "xoxb-1")

    assert fault_of(reader.read, UploadedFile("policy.yml", f"{origin}/policy.yml")) == "elsewhere"
    assert host.tokens == []


def test_a_file_that_is_said_to_be_too_large_is_not_asked_for(read, host):
    assert fault_of(read, "policy.yml", MOST_BYTES + 1) == "too-large"
    assert host.tokens == []


def test_a_file_may_be_as_large_as_that_and_no_byte_larger(read, host):
    host.answer = Response(b"#" * MOST_BYTES)
    assert len(read()) == MOST_BYTES

    host.answer = Response(b"#" * (MOST_BYTES + 1))
    assert fault_of(read) == "too-large"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (RedirectResponse("/login", 302), "no-right"),
        (Response(status_code=403), "no-right"),
        (Response("<html>Log in</html>", media_type="text/html"), "no-right"),
        (Response(status_code=404), "gone"),
        (Response(status_code=500), "no-answer"),
        (Response(b"\xff\xfe\x00"), "not-text"),
        (Response(b"version: 1\0"), "not-text"),
    ],
)
def test_what_is_no_text_of_that_file_is_refused_for_what_it_is(read, host, answer, fault):
    host.answer = answer

    assert fault_of(read) == fault
    assert len(host.tokens) == 1  # and the token goes nowhere else


def test_a_host_that_does_not_answer_is_said_not_to():
    reader = FileReader("http://127.0.0.1:9/api/", "xoxb-1")

    assert fault_of(reader.read, UploadedFile("policy.yml", "http://127.0.0.1:9/policy.yml")) == "no-answer"


@pytest.mark.parametrize("file", [{}, {"url_private": 5, "name": "a"}, {"url_private": "x" * 2_000, "name": "a"}])
def test_a_file_without_an_address_is_none(file):
    with pytest.raises((KeyError, ValueError)):
        read_file_object(file)


def test_neither_address_nor_token_is_shown_by_accident():
    shown = repr(UploadedFile("policy.yml", "https://files.slack.com/secret")) + repr(FileReader(SLACK, "xoxb-1"))

    assert "secret" not in shown
    assert "xoxb" not in shown
