"""Mail: over SMTP, plain, by STARTTLS or by TLS, with certificates looked at."""

import re
import smtplib
import socket
import ssl
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

from storemon.errors import ChannelError, InputError
from storemon.watch.channels.channel import Way
from storemon.watch.channels.limits import within
from storemon.watch.messages import Message

Security = Literal["none", "starttls", "tls"]

_STEP_SECONDS, _LIMIT_SECONDS = 20.0, 120.0
_REMEMBERED = 1000
_SUBJECT = 250
_TOO_LARGE = 552


@dataclass(frozen=True)
class Server:
    """A mail server, and how to log in there; without a user not at all."""

    host: str = "localhost"
    port: int = 25
    security: Security = "none"
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Mail(Way):
    """Sends mails to a list of recipients, by one server."""

    kind = "mail"

    def __init__(
        self, server: Server, sender: str, recipients: Sequence[str], *, limit_s: float = _LIMIT_SECONDS
    ) -> None:
        self._server, self._from = server, mailbox(sender)
        self._to = [mailbox(each) for each in recipients]
        if not self._to:
            raise InputError("a mail needs recipients; write recipients = ['ops@example.org']")
        self._limit_s = limit_s
        self._had: OrderedDict[str, set[str]] = OrderedDict()
        """Who has had which of the last notices: the others are told again, and those are not."""
        self.where = f"{', '.join(each.addr_spec for each in self._to)} by {server}"

    def send(self, message: Message) -> None:
        """Send it to all who have not had it."""
        had = self._had.setdefault(message.id, set())
        while len(self._had) > _REMEMBERED:
            self._had.popitem(last=False)
        written = self.written(message)
        left = [each.addr_spec for each in self._to if each.addr_spec not in had]
        with self._telling():
            refused = self._handed_over(written, left)
        had.update(set(left) - refused.keys())
        if refused:
            told = "; ".join(f"{each}: {code} {_text(said)}" for each, (code, said) in refused.items())
            others = "; the other recipients have it" if had else ""
            again = any(code < 500 for code, _ in refused.values())  # noqa: PLR2004 - SMTP's word for never
            raise ChannelError(f"{self._server} refuses {told}{others}", again=again)

    def written(self, message: Message) -> EmailMessage:
        """Write it as a mail: text, the same as HTML if there is any, and the files."""
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = self._from, self._to
        mail["Subject"] = _line(message.title)[:_SUBJECT]
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = self._reference(message.id)
        alerts = message.data.get("alerts") or []
        if len(alerts) == 1:  # a reader of mail shows what is told of one alert as one conversation
            mail["References"] = self._reference(f"alert.{alerts[0].get('id', '')}")
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n", cte="quoted-printable")
        if message.html:
            mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
        for file in message.files:
            kind, _, subtype = file.kind.partition(";")[0].partition("/")
            try:
                content = Path(file.place).read_bytes()
            except OSError as error:
                raise ChannelError(f"the file {file.name} can't be read here: {error.strerror}") from error
            mail.add_attachment(content, maintype=kind, subtype=subtype or "octet-stream", filename=_line(file.name))
        return mail

    def _reference(self, name: str) -> str:
        return f"<{re.sub(r'[^A-Za-z0-9.-]', '-', name)}@{self._from.domain}>"

    def _handed_over(self, mail: EmailMessage, recipients: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Hand it to the server. Give the recipients that it refused."""
        server, clients = self._server, list[smtplib.SMTP]()
        kind = _Secure if server.security == "tls" else _Plain
        options: dict[str, Any] = {"context": ssl.create_default_context()} if server.security == "tls" else {}
        with within(self._limit_s, lambda: clients[0].sock if clients else None):
            client = kind(clients, server.host, server.port, socket.gethostname(), timeout=_STEP_SECONDS, **options)
            with client:
                if server.security == "starttls":
                    client.starttls(context=ssl.create_default_context())
                if server.user:
                    client.login(server.user, server.password)
                try:
                    return client.sendmail(self._from.addr_spec, recipients, mail.as_bytes())
                except smtplib.SMTPRecipientsRefused as error:
                    return error.recipients

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            why = f"the certificate of {self._server} is not trusted: {error.verify_message}"
            raise ChannelError(f"{why}; renew it, or name who signed it in SSL_CERT_FILE") from error
        except smtplib.SMTPAuthenticationError as error:
            raise ChannelError(
                f"{self._server} does not let {self._server.user} in: {error.smtp_code} {_text(error.smtp_error)}; "
                "check user and password"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ChannelError(f"{self._server}: {error}; try smtps://, smtp+tls:// or smtp://") from error
        except smtplib.SMTPResponseException as error:
            # Who is refused to speak at all may be let in later; a mail that is refused, or too large, will be again.
            refused = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500  # noqa: PLR2004 - as above
            never = refused or error.smtp_code == _TOO_LARGE
            said = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise ChannelError(f"{self._server} does not take it: {said}", again=not never) from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise ChannelError(f"{self._server} can't be reached: {why}") from error


class _Plain(smtplib.SMTP):
    """A client that can be got at while it connects."""

    def __init__(self, clients: list[smtplib.SMTP], *given: Any, **options: Any) -> None:
        clients.append(self)
        super().__init__(*given, **options)


class _Secure(smtplib.SMTP_SSL):
    """The same by TLS."""

    def __init__(self, clients: list[smtplib.SMTP], *given: Any, **options: Any) -> None:
        clients.append(self)
        super().__init__(*given, **options)


def mailbox(text: str) -> Address:
    """Read an address of mail, like ``ops@example.org``.

    Raises:
        InputError: it is none.

    """
    user, at, domain = text.strip().rpartition("@")
    if (
        not at
        or not user.isascii()
        or not re.fullmatch(r"[^\s<>()\[\],;:\\\"@]+", user)
        or not re.fullmatch(r"[\w.-]+", domain, re.ASCII)
    ):
        raise InputError(f"{text!r} is no address of mail; write it like ops@example.org")
    return Address(username=user, domain=domain)


def _line(text: str) -> str:
    """Write text on one line without what could end a header, or hide it."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def _text(said: bytes | str) -> str:
    return _line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)
