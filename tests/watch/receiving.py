"""Those who receive: a server of webhooks that does what it is told to, one of mails, and their certificates."""

import base64
import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple, Self

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.service.waiting import until


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def signed_by(self, secret: bytes) -> bool:
        """Check it as docs/channels.md shows."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected, each) for each in self.headers["webhook-signature"].split())


Said = tuple[int, dict[str, str], bytes]
Answering = Callable[[int], Said]
WELL: Said = (204, {}, b"")


class Hook:
    """Receives what is posted, and answers it as ``answer`` says; ``hangs`` has it answer nothing."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.answer: Answering = lambda _: WELL
        self.hangs = self.drips = False
        self._over = Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hook.posted.append(Posted(self.path, headers, body))
                if hook.hangs:
                    hook._over.wait(60)
                    return
                while hook.drips and not hook._over.is_set():
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # and again: it says something all the time
                    self.wfile.flush()
                    time.sleep(0.05)
                status, more, said = hook.answer(len(hook.posted))
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # who hangs up is no trouble

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def secure(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class Certificate(NamedTuple):
    file: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.file, self.key)
        return made


def certificate_of(folder: Path, name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    certificate.file.write_bytes(made.public_bytes(Encoding.PEM))
    certificate.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate


class _Listening(Controller):
    """A server at a free port; whether it answers is looked at without TLS, which asks for another context."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", self.port), 10):
            until(lambda: self.smtpd is not None)


class Mailed(NamedTuple):
    sender: str
    recipients: list[str]
    message: EmailMessage
    logged_in: bool


class Postbox:
    """A mail server that keeps what it gets; ``refused`` has its answers to recipients, ``answer`` that to mails."""

    def __init__(self, **options: Any) -> None:
        self.mails: list[Mailed] = []
        self.refused: dict[str, str] = {}
        self.answer = "250 OK"
        implicit = options.pop("implicit", None)
        self._controller = _Listening(
            self, hostname="127.0.0.1", port=0, authenticator=self._let_in, ssl_context=implicit, **options
        )

    async def handle_RCPT(  # noqa: N802 - as it is called there
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            sender, logged_in = envelope.mail_from or "", bool(session.authenticated)
            self.mails.append(Mailed(sender, [*envelope.rcpt_tos], message, logged_in))
        return self.answer

    def _let_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: Any) -> AuthResult:
        right = isinstance(login, LoginPassword) and (login.login, login.password) == (b"us", b"p@ss/word#1")
        return AuthResult(success=right, handled=False)

    @property
    def port(self) -> int:
        port: int = self._controller.port
        return port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
