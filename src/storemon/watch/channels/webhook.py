"""Webhooks: a message as JSON, posted and signed as Standard Webhooks say (standardwebhooks.com).

What is signed is the notice's id, the second of sending and the body: so whoever has the secret can tell that it comes
from us, is new, and is the same as one that came before.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult

import msgspec

from storemon.errors import ChannelError, InputError
from storemon.watch.channels.channel import Way
from storemon.watch.channels.posting import LIMIT_SECONDS, post, require_taken
from storemon.watch.messages import Attached, Message

_MARKED = "whsec_"
_MOST_FILES = 10_000_000


class Webhook(Way):
    """Posts to one address."""

    kind = "webhook"

    def __init__(
        self, url: SplitResult, secrets: Sequence[bytes] = (), *, private: bool = False, limit_s: float = LIMIT_SECONDS
    ) -> None:
        self._url, self._secrets, self._private, self._limit_s = url, secrets, private, limit_s
        self.where = f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")

    def send(self, message: Message) -> None:
        """Post it, signed by each secret."""
        at = datetime.now(UTC).replace(microsecond=0)
        body = msgspec.json.encode(
            {
                "type": f"notice.{message.data.get('kind', 'sent')}",
                "timestamp": at,
                "data": {
                    "id": message.id,
                    "title": message.title,
                    "text": message.text,
                    "severity": message.severity,
                    **message.data,
                    **({"files": _packed(message.files)} if message.files else {}),
                },
            }
        )
        stamp = str(int(at.timestamp()))
        headers = {"Content-Type": "application/json", "webhook-id": message.id, "webhook-timestamp": stamp}
        if self._secrets:
            headers["webhook-signature"] = signatures(message.id, stamp, body, self._secrets)
        require_taken(post(self._url, body, headers, private=self._private, limit_s=self._limit_s))


def signatures(notice_id: str, stamp: str, body: bytes, secrets: Sequence[bytes]) -> str:
    """Sign a body by each secret: a receiver takes it that knows one of them."""
    signed = b".".join([notice_id.encode(), stamp.encode(), body])
    return " ".join(f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" for secret in secrets)


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Read secrets with spaces between: each any text, or ``whsec_`` and base64.

    Raises:
        InputError: one is marked as base64 and is none. The text does not tell it.

    """
    return tuple(_secret(each) for each in text.split())


def _secret(text: str) -> bytes:
    if not text.startswith(_MARKED):
        return text.encode()
    try:
        secret = b64decode(text.removeprefix(_MARKED), validate=True)
    except binascii.Error:
        secret = b""
    if not secret:
        raise InputError("a secret that begins with whsec_ goes on in base64, and this one doesn't; copy it once more")
    return secret


def _packed(files: Sequence[Attached]) -> list[dict[str, object]]:
    packed: list[dict[str, object]] = []
    size = 0
    for file in files:
        try:
            content = Path(file.place).read_bytes()
        except OSError as error:
            raise ChannelError(f"the file {file.name} can't be read here: {error.strerror}") from error
        size += len(content)
        packed.append({"name": file.name, "kind": file.kind, "base64": content})
    if size > _MOST_FILES:
        raise ChannelError(
            f"files of {size / 1e6:,.0f} MB are too much for a webhook; send them to s3://… or folder:…", again=False
        )
    return packed
