"""A server of object storage in a process of its own, and one that stands in front of it."""

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from tests.service.waiting import until

# It looks whether an object is there and then stores it: only one request at a time makes that one step.
SERVER = """
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

run_simple("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
"""


SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=somebody/20241015/us-east-1/s3/aws4_request"}
"""Who says nothing of who they are may not read; what they say is not checked."""


class Storage:
    """A server, at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, headers=SIGNED, timeout=30)

    def make(self, bucket: str) -> str:
        """Make a bucket; give the URI of a lake in it."""
        self._client.put(f"/{bucket}").raise_for_status()
        return f"s3://{bucket}/some/lake"

    def keys(self, bucket: str) -> list[str]:
        """List the names of all objects."""
        answer = self._client.get(f"/{bucket}", params={"list-type": "2", "max-keys": "1000"})
        assert "<IsTruncated>false" in answer.text
        return re.findall("<Key>(.*?)</Key>", answer.text)

    def remove(self, uri: str) -> None:
        self._client.delete(f"/{uri.removeprefix('s3://')}").raise_for_status()

    def download(self, uri: str, folder: Path) -> Path:
        """Copy a lake into a folder."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        for key in self.keys(bucket):
            file = folder / key.removeprefix(f"{prefix}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._client.get(f"/{bucket}/{key}").raise_for_status().content)
        return folder


@contextmanager
def serving(log: Path) -> Iterator[Storage]:
    with log.open("wb") as written:
        process = subprocess.Popen([sys.executable, "-c", SERVER], stderr=written, stdout=written)
    try:
        yield Storage(until(lambda: re.findall(r"Running on (http://\S+)", log.read_text()))[0])
    finally:
        process.kill()
        process.wait()


class Seen(NamedTuple):
    """A request, and how it was answered."""

    method: str
    path: str
    if_none_match: str | None
    status: int


class Front(ThreadingHTTPServer):
    """A server in front of another: it tells what it has seen, and does what a network and other people may do.

    Attributes:
        url: of this one.
        seen: all requests.
        before: what is done once, before the first request of a method whose path ends so is passed on.
        lost: of which such requests the answer is lost once, and stands for an error of the server.
        instead: the status and the body of every answer, None to pass the requests on.

    """

    daemon_threads = True

    def __init__(self, behind: Storage) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = httpx.URL(behind.url)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[Seen] = []
        self.before: dict[tuple[str, str], Callable[[], object]] = {}
        self.lost: set[tuple[str, str]] = set()
        self.instead: tuple[int, bytes] | None = None


class _Passing(BaseHTTPRequestHandler):
    server: Front

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path)
        for method, end in list(self.server.before):
            if self.command == method and path.endswith(end):
                self.server.before.pop((method, end))()
        status, headers, answer = self._answer(body)
        for method, end in list(self.server.lost):
            if self.command == method and path.endswith(end):
                self.server.lost.remove((method, end))
                status = 500
        self.server.seen.append(Seen(self.command, path, self.headers.get("If-None-Match"), status))
        self.send_response_only(status)
        for name, text in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, text)
        told = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else str(len(answer))
        self.send_header("Content-Length", told)
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self.server.instead:
            status, answer = self.server.instead
            return status, [], answer
        behind = http.client.HTTPConnection(self.server.behind.host, self.server.behind.port, timeout=30)
        behind.request(self.command, self.path, body, dict(self.headers))
        response = behind.getresponse()
        answer = response.read()
        behind.close()
        return response.status, response.getheaders(), answer

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _pass_on  # noqa: N815 - names that the library asks for


@contextmanager
def in_front_of(storage: Storage) -> Iterator[Front]:
    with Front(storage) as front:
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        try:
            yield front
        finally:
            front.shutdown()
            thread.join()
