"""API keys: who may ask, what, and of which stores.

A key is an id and 32 random bytes. Of these only a hash is kept: so whoever reads the records can't use a key; and as
they are random, a quick hash does.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from sqlalchemy import Engine, Row, insert, select, update

from storemon.engine.question import require_one_of
from storemon.records.database import beside, now
from storemon.records.opening import opened_records
from storemon.records.tables import KEYS
from storemon.settings import Settings

Role = Literal["reader", "writer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a key may do, each what those before it may: ask; also load facts; also delete what others asked for."""

_WRITTEN = re.compile(r"storemon_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
LIKE_A_KEY = re.compile(r"storemon_[0-9a-f]{12}_[A-Za-z0-9_-]+")
"""What looks like a key, whole or not: it is not for logs."""
_key = KEYS.c


class Key(NamedTuple):
    """A key without its secret."""

    id: str
    role: Role
    sees: Mapping[str, str]
    """The tags, with their values, of the stores that it sees; none for all."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> Literal["valid", "expired", "revoked"]:
        """Whether it can be used now."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= datetime.now(UTC) else "valid"


class Keys:
    """The keys in the records. Every method is one short statement, safe from any thread and any process."""

    def __init__(self, records: Engine) -> None:
        self._records = records

    def create(
        self, role: str, sees: Mapping[str, str] | None = None, expires_in: timedelta | None = None
    ) -> tuple[Key, str]:
        """Make a key, and give the text that its owner sends, which nobody can find out later.

        Raises:
            InputError: there is no such role.

        """
        require_one_of(role, ROLES, "role")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        values = {
            "id": key_id,
            "secret_hash": _hash(secret),
            "role": role,
            "sees": dict(sees or {}),
            "created_at": now(),
            "expires_at": None if expires_in is None else now() + expires_in // timedelta(microseconds=1),
        }
        with self._records.connect() as connection:
            connection.execute(insert(KEYS).values(**values))
            row = connection.execute(select(KEYS).where(_key.id == key_id)).one()
        return _read(row), f"storemon_{key_id}_{secret}"

    def list(self) -> Sequence[Key]:
        """Read all keys, the oldest first."""
        with self._records.connect() as connection:
            return [_read(row) for row in connection.execute(select(KEYS).order_by(_key.created_at, _key.id))]

    def revoke(self, key_id: str) -> bool:
        """Let a key be used no more, from now on. Tell whether there is one that could be used."""
        usable = (_key.id == key_id) & _key.revoked_at.is_(None)
        with self._records.connect() as connection:
            return bool(connection.execute(update(KEYS).where(usable).values(revoked_at=now())).rowcount)

    async def exist(self) -> bool:
        """Tell what `any` does, from an event loop."""
        return await beside(self._records, self.any)

    def any(self) -> bool:
        """Tell whether there are any, even such as can't be used: from then on nobody comes in without one."""
        with self._records.connect() as connection:
            return connection.execute(select(_key.id).limit(1)).first() is not None

    async def look(self, written: str) -> Key | None:
        """Find a key as `find` does, from an event loop."""
        return await beside(self._records, self.find, written)

    def find(self, written: str) -> Key | None:
        """Find the key that somebody sent; None if it can't be used."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            return None
        key_id, secret = found.groups()
        with self._records.connect() as connection:
            row = connection.execute(select(KEYS).where(_key.id == key_id)).one_or_none()
        is_same = hmac.compare_digest(_hash(secret), row.secret_hash if row else _hash(""))
        key = _read(row) if row and is_same else None
        return key if key and key.state == "valid" else None


@contextmanager
def opened_keys(settings: Settings) -> Iterator[Keys]:
    """Open the keys of a service.

    Raises:
        RecordsError: the records cannot be opened or made.

    """
    records = opened_records(settings)
    try:
        yield Keys(records)
    finally:
        records.dispose()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(row: Row[tuple[object, ...]]) -> Key:
    created_at = datetime.fromtimestamp(row.created_at / 1e6, UTC)
    return Key(row.id, row.role, row.sees, created_at, _instant(row.expires_at), _instant(row.revoked_at))


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)
