import re
from pathlib import Path

import pytest

from storemon.errors import ChannelError, InputError
from storemon.watch.channels.mail import Mail, Security, Server, mailbox
from storemon.watch.messages import Attached, Message
from tests.watch.receiving import Certificate, Postbox, certificate_of
from tests.watch.told import message

TO = ["ops@example.org", "boss@example.org"]


def mail(box: Postbox, security: Security = "none", *, user: str = "", to: list[str] = TO, limit_s: float = 20) -> Mail:
    server = Server("localhost", box.port, security, user, "p@ss/word#1" if user else "")
    return Mail(server, "storemon@example.org", to, limit_s=limit_s)


def refused(way: Mail, sent: Message | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        way.send(sent or message())
    return failed.value


def test_a_mail_has_all_that_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"PK\x00\xff")
    told = message("5f0c9a1e-8f0b")
    files = (Attached("week ü.xlsx", "application/vnd.ms-excel; charset=x", str(file)),)
    with Postbox() as box:
        mail(box).send(Message(told.id, told.title, told.text, told.html, told.severity, told.data, files))
    (mailed,) = box.mails
    assert (mailed.sender, mailed.recipients) == ("storemon@example.org", TO)
    got = mailed.message
    assert got["From"] == "storemon@example.org"
    assert got["To"] == "ops@example.org, boss@example.org"
    assert got["Subject"] == told.title
    assert got["Message-ID"] == "<5f0c9a1e-8f0b@example.org>"
    assert got["References"] == "<alert.5f0c9a1e-8f0b-4d3c-9a57-2f4f1f6f3a10@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime is not None
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == told.text.splitlines()
    assert html.get_content().splitlines() == told.html.splitlines()
    (attached,) = got.iter_attachments()
    assert attached.get_filename() == "week ü.xlsx"
    assert attached.get_content_type() == "application/vnd.ms-excel"
    assert attached.get_payload(decode=True) == b"PK\x00\xff"


def test_a_text_that_is_no_ascii_and_has_long_lines_comes_whole() -> None:
    text = "\n".join(["Größe “groß” 🙂", ".", "..", "From here", "x" * 5000, " ends with spaces  "])
    with Postbox() as box:
        mail(box).send(Message("n1", "Größe — 🙂 " + "ü" * 90, text))
    got = box.mails[0].message
    assert got["Subject"] == "Größe — 🙂 " + "ü" * 90
    assert got.get_content().removesuffix("\r\n").replace("\r\n", "\n") == text
    assert got.get_body(("html",)) is None


@pytest.mark.parametrize(
    "odd", ["a\r\nBcc: evil@example.org", "a\nX: y\n\nbody", "a\rb", "a\x00b", "a\u2028b", "a\u202eb"]
)
def test_nothing_can_be_put_into_the_headers(odd: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    files = (Attached(f"{odd}.csv", "text/csv", str(tmp_path / "x")),)
    with Postbox() as box:
        mail(box).send(Message(odd, odd, "text", data={"alerts": [{"id": odd}]}, files=files))
    (mailed,) = box.mails
    assert mailed.recipients == TO
    got = mailed.message
    assert set(got.keys()) == {
        *(
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "References",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ),
        "X-Peer",
        "X-MailFrom",
        "X-RcptTo",
    } & set(got.keys())
    assert got["Bcc"] is None
    assert got["X"] is None
    for told in (got["Subject"], next(iter(got.iter_attachments())).get_filename()):
        assert str(told).isprintable()
    assert re.fullmatch(r"<[\w.-]+@example\.org>", got["Message-ID"])


@pytest.mark.parametrize(
    "address", ["", "ops", "a@b\nBcc: c@d", "a b@c.org", "größe@b.org", "a@größe.org", "a@b,c@d", "<a@b>", "a@b c"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError, match="no address of mail"):
        mailbox(address)


def test_no_recipients_are_a_mistake() -> None:
    with pytest.raises(InputError, match="needs recipients"):
        Mail(Server(), "a@example.org", [])


def test_by_starttls_with_a_login(certificate: Certificate) -> None:
    with Postbox(tls_context=certificate.context(), require_starttls=True, auth_required=True) as box:
        mail(box, "starttls", user="us").send(message("n1"))
    assert [mailed.logged_in for mailed in box.mails] == [True]


def test_by_tls_from_the_beginning(certificate: Certificate) -> None:
    with Postbox(implicit=certificate.context(), auth_require_tls=False) as box:
        mail(box, "tls").send(message("n1"))
    assert len(box.mails) == 1


def test_a_wrong_password(certificate: Certificate) -> None:
    with Postbox(tls_context=certificate.context(), auth_required=True) as box:
        error = refused(mail(box, "starttls", user="them"))
    assert error.again
    assert "does not let them in: 535" in str(error)
    assert "p@ss" not in str(error)
    assert box.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_knows(tmp_path: Path, security: Security) -> None:
    context = certificate_of(tmp_path, "localhost").context()
    options = {"tls_context": context} if security == "starttls" else {"implicit": context}
    with Postbox(**options) as box:
        error = refused(mail(box, security))
    assert "is not trusted: self-signed certificate; renew it, or name who signed it in SSL_CERT_FILE" in str(error)
    assert box.mails == []


def test_a_certificate_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_of(tmp_path, "mail.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    with Postbox(tls_context=certificate.context()) as box:
        error = refused(mail(box, "starttls"))
    assert "Hostname mismatch" in str(error)
    assert box.mails == []


def test_a_server_without_starttls_gets_nothing_in_the_open() -> None:
    with Postbox() as box:
        error = refused(mail(box, "starttls"))
    assert "try smtps://" in str(error)
    assert box.mails == []


@pytest.mark.parametrize(("answer", "again"), [("452 disk full", True), ("554 this is spam", False)])
def test_a_mail_that_is_refused(answer: str, again: bool) -> None:  # noqa: FBT001
    with Postbox() as box:
        box.answer = answer
        error = refused(mail(box))
    assert error.again is again
    assert answer in str(error)


def test_who_has_it_does_not_get_it_again() -> None:
    with Postbox() as box:
        way = mail(box)
        box.refused = {TO[1]: "450 come back later"}
        error = refused(way, message("n1"))
        assert error.again
        assert f"refuses {TO[1]}: 450 come back later; the other recipients have it" in str(error)
        box.refused = {}
        way.send(message("n1"))
        way.send(message("n2"))
    assert [mailed.recipients for mailed in box.mails] == [TO[:1], TO[1:], TO]


def test_a_recipient_that_there_is_not() -> None:
    with Postbox() as box:
        box.refused = dict.fromkeys(TO, "550 no such user")
        error = refused(mail(box))
    assert not error.again
    assert "550 no such user" in str(error)


def test_a_server_that_says_nothing() -> None:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as silent:
        way = Mail(Server("127.0.0.1", silent.getsockname()[1]), "a@example.org", TO, limit_s=0.3)
        error = refused(way)
    assert error.again
    assert "longer than 0.3 s" in str(error)
