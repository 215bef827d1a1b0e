"""Those who are told: a mail server, a receiver of webhooks that fails half of the time, Debian's Alertmanager."""

import shutil
import socket
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Event, Thread
from typing import Any, NamedTuple, Self

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.arrivals.brokers import _Server
from tests.watch.receiving import Postbox, Posted

SECRET = "the-secret-of-the-week"  # noqa: S105
ALERTMANAGER = shutil.which("prometheus-alertmanager")
NO_ALERTMANAGER = "Alertmanager is not installed: Debian's package prometheus-alertmanager"
_HANGS_SECONDS = 30
_NOW_AND_THEN = 0.1


class Receipt(NamedTuple):
    """What came, when, by which channel: a notice's id, and those of the alerts that it tells of."""

    channel: str
    notice: str
    at_us: int
    kind: str = ""
    alerts: Sequence[Mapping[str, Any]] = ()


Held = tuple[str, str, int]
"""An alert that Alertmanager holds: its rule, its subject, and when it began, in milliseconds."""


def _now_us() -> int:
    return time.time_ns() // 1000


class FailingHook:
    """Takes what is posted, and then fails half of the time: says so, says nothing, or hangs up."""

    def __init__(self, seed: int) -> None:
        self.receipts: list[Receipt] = []
        self.fails = Counter[str]()
        self.unsigned = 0
        self._over, hook = Event(), self
        draw = Random(seed)  # noqa: S311 - it is to be the same each time

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted = Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                how = draw.choice(("taken", "taken", "taken", "500", "hangs", "reset"))
                hook.fails[how] += 1
                if how == "500":
                    self._answer(500)
                    return
                hook._take(posted)
                if how == "taken":
                    self._answer(204)
                elif how == "hangs":
                    hook._over.wait(_HANGS_SECONDS)
                else:
                    at_once = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                    self.connection.close()

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # who hangs up is no trouble

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def _take(self, posted: Posted) -> None:
        if not posted.signed_by(SECRET.encode()):
            self.unsigned += 1
            return
        told, at = posted.json["data"], _now_us()
        for notice in told.get("notices", [posted.headers["webhook-id"]]):  # those of a digest
            channel = posted.path.removeprefix("/")
            self.receipts.append(Receipt(channel, notice, at, told["kind"], told["alerts"]))

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class Mails(Postbox):
    """Keeps what it gets, and now and then wants it later."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.receipts: list[Receipt] = []
        self._draw = Random(seed)  # noqa: S311 - likewise

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self._draw.random() < _NOW_AND_THEN:
            return "451 come again later"
        said = await super().handle_DATA(server, session, envelope)
        mail = self.mails.pop()
        notice = mail.message["Message-ID"].strip("<>").partition("@")[0]
        self.receipts += [Receipt(to.partition("@")[0], notice, _now_us()) for to in mail.recipients]
        return said


class Alertmanager(_Server):
    """Debian's, with nobody to tell."""

    def __init__(self) -> None:
        super().__init__("alertmanager")

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        place = self.folder / "am.yml"
        place.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        options = [f"--config.file={place}", f"--storage.path={self.folder}/data", "--cluster.listen-address=", listen]
        return [str(ALERTMANAGER), *options], {}

    def active(self) -> set[Held]:
        """Name the alerts that it holds for active."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=10).raise_for_status()
        return {
            (one["labels"]["alertname"], one["labels"]["subject"], _milliseconds(one["startsAt"]))
            for one in answer.json()
        }


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
