"""Downloads from a local server that interrupts, ignores ranges, or serves another archive."""

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from training.__main__ import main
from training.data.download import Archive, DownloadError, download

FILES = {"classes.txt": b"Company\nArtist\n", "train.csv": Random(0).randbytes(50_000), "test.csv": b'1,"a","b"\n'}
MEMBERS = {f"dbpedia_csv/{name}": name for name in FILES}


def pack() -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for member, name in MEMBERS.items():
            described = tarfile.TarInfo(member)
            described.size = len(FILES[name])
            tar.addfile(described, io.BytesIO(FILES[name]))
    return file.getvalue()


CONTENT = pack()


class Server(ThreadingHTTPServer):
    """Serves CONTENT as configured by a test; `asked` records the Range header of every request."""

    daemon_threads = True
    content = CONTENT
    knows_ranges = True
    most_bytes = len(CONTENT)
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def archive(self) -> Archive:
        address = f"http://127.0.0.1:{self.server_port}/dbpedia_csv.tgz"
        return Archive(address, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), MEMBERS)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.knows_ranges else 0
        rest = self.server.content[start:]
        self.send_response(self.server.status if not start else 206)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.most_bytes])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def files_in(tmp_path) -> Callable[[], dict[str, bytes]]:
    return lambda: {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_the_files_of_the_archive_are_extracted(server, tmp_path, files_in):
    came = []

    download(server.archive, tmp_path, came.append)

    assert files_in() == FILES
    assert sum(came) == len(CONTENT)


def test_an_interrupted_download_resumes(server, tmp_path, files_in):
    server.most_bytes = 30_000

    download(server.archive, tmp_path)

    assert files_in() == FILES
    assert server.asked == [None, "bytes=30000-"]


def test_a_download_resumes_in_the_next_run(server, tmp_path, files_in):
    (tmp_path / ".dbpedia_csv.tgz.part").write_bytes(CONTENT[:10_000])
    came = []

    download(server.archive, tmp_path, came.append)

    assert files_in() == FILES
    assert server.asked == ["bytes=10000-"]
    assert sum(came) == len(CONTENT)


def test_a_server_without_ranges_is_read_from_the_start(server, tmp_path, files_in):
    server.knows_ranges = False
    (tmp_path / ".dbpedia_csv.tgz.part").write_bytes(b"something else" * 100)
    came = []

    download(server.archive, tmp_path, came.append)

    assert files_in() == FILES
    assert sum(came) == len(CONTENT)


def test_another_archive_is_refused_and_deleted(server, tmp_path, files_in):
    server.content = CONTENT[:-1] + b"?"

    with pytest.raises(DownloadError, match="the SHA-256 is"):
        download(server.archive, tmp_path)

    assert files_in() == {}


def test_a_shorter_archive_is_refused(server, tmp_path):
    server.content = CONTENT[:40_000]

    with pytest.raises(DownloadError, match=r"ended after 40,000 of \d+,\d+ bytes"):
        download(server.archive, tmp_path)


def test_received_bytes_are_kept_when_a_request_brings_no_more(server, tmp_path, files_in):
    (tmp_path / ".dbpedia_csv.tgz.part").write_bytes(CONTENT[:10_000])
    server.most_bytes = 0

    with pytest.raises(DownloadError):
        download(server.archive, tmp_path)

    assert files_in() == {".dbpedia_csv.tgz.part": CONTENT[:10_000]}


def test_an_error_of_the_server_is_reported(server, tmp_path):
    server.status = 403

    with pytest.raises(DownloadError, match="the server answered 403 Forbidden"):
        download(server.archive, tmp_path)


def test_without_a_network_the_error_says_how_to_resume(server, tmp_path, monkeypatch, capsys):
    archive = server.archive
    monkeypatch.setattr(
        "training.cli.data.DBPEDIA", Archive("http://127.0.0.1:9/a.tgz", archive.size, archive.sha256, MEMBERS)
    )
    (tmp_path / ".a.tgz.part").write_bytes(b"12345")

    returncode = main(["download", str(tmp_path)])

    error = capsys.readouterr().err
    assert returncode == 1
    assert error.startswith("error: http://127.0.0.1:9/a.tgz: not reachable (")
    assert "check this machine's network connection; 5 of " in error


def test_the_command_prints_what_it_wrote(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.cli.data.DBPEDIA", server.archive)

    assert main(["download", str(tmp_path / "data")]) == 0

    assert capsys.readouterr().out.startswith(f"Wrote classes.txt, train.csv, test.csv to {tmp_path}/data; the SHA-256")
    assert (tmp_path / "data" / "train.csv").read_bytes() == FILES["train.csv"]
