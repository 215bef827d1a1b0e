"""Who asks: found out before any route is taken, by the key or the token that a request brings."""

import hashlib
import time
from base64 import b64decode
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, NotAuthorizedException, PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from storemon.engine.seen import Conditions, SeenSnapshot
from storemon.errors import InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.records.keys import ROLES, Keys, Role
from storemon.service.door.limits import FAILURE, Rates, address_of
from storemon.service.logs import PASSWORD, line_writer, masked
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.service.door.tokens import Tokens

_BROUGHT = (b"authorization", b"x-api-key")
_LOOK_SECONDS = 1  # for so long a service that had no keys may not know of the first one

BEARER = "token:"
"""What the name of a token's bearer begins with, and that of no key."""

NOBODY = {"role": None}
"""What a route says that needs no key."""


AS_INFLUX = {"as_influx": True}
"""What a route says whose key may be sent as clients of InfluxDB send theirs."""

OF_ALL_STORES = {"of_all_stores": True}
"""What a route says whose answer is about all stores: whoever may see some only is kept out."""


def needs(role: Role) -> dict[str, Any]:
    """Say of a route which role may take it; of those that say nothing, it is a reader."""
    return {"role": role}


class Caller(NamedTuple):
    """Who asks."""

    key: str | None = None
    """The id of the key, or ``token:`` and the subject of a token; None for anybody, where neither is needed."""
    role: Role = "admin"
    sees: Conditions = ()
    """The tags of the stores that are seen; none for all."""

    @property
    def owner(self) -> str | None:
        """Whose the reports are that it asks for: of a subject whose tokens see other stores, those of each apart."""
        if not self.sees or not str(self.key).startswith(BEARER):  # what a key sees never changes
            return self.key
        told = msgspec.json.encode(self.sees)
        return f"{self.key}#{hashlib.sha256(told).hexdigest()[:32]}"  # no subject has a # in it

    def snapshot(self, settings: Settings, versions: dict[str, int] | None = None) -> Snapshot:
        """Fix what is read of the lake: as much as is seen.

        Raises:
            LakeError: it can't be read.

        """
        found = KeptLake(settings.lake).snapshot(versions)
        return SeenSnapshot(found, self.sees) if self.sees else found

    def may(self, role: Role) -> bool:
        """Tell whether it may do what such a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Doorkeeper(ASGIMiddleware):
    """Lets a request in by its key or token, as far and as often as it may, and writes down who writes."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, keys: Keys, tokens: "Tokens | None" = None, rates: Rates | None = None) -> None:
        self._keys, self._tokens, self._rates = keys, tokens, rates
        self._write_down = line_writer("storemon.audit", "write")
        self._is_guarded = tokens is not None
        self._looked_at = float("-inf")

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find out who asks, and refuse who may not."""
        is_schema = scope["path"].startswith("/schema")  # Litestar's own routes
        needed: Role | None = None if is_schema else scope["route_handler"].opt.get("role", "reader")
        caller = Caller() if needed is None else await self._let_in(scope)
        if needed is not None and not caller.may(needed):
            raise PermissionDeniedException(f"this key is that of a {caller.role}; for this one must be {needed}")
        if caller.sees and scope["route_handler"].opt.get("of_all_stores"):
            raise PermissionDeniedException(f"this is about all stores, and this key sees some only; {_instead(scope)}")
        scope["state"]["caller"] = caller
        if needed in {None, "reader"}:
            await next_app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked = {"method": scope.get("method"), "path": masked(scope["path"])}
                self._write_down(key=caller.key, **asked, status=message["status"])
            await send(message)

        await next_app(scope, receive, told)

    async def _let_in(self, scope: Scope) -> Caller:
        """Find out who asks, and count it: for the key or token, and where none is good, for the address."""
        if self._rates is None:
            return await self._caller(scope)
        address = address_of(scope)
        self._rates.require(address)
        try:
            caller = await self._caller(scope)
        except HTTPException as error:
            self._rates.use_up(address, FAILURE if error.status_code < HTTP_500_INTERNAL_SERVER_ERROR else 1)
            raise
        self._rates.require(caller.key or address, 1)
        return caller

    async def _caller(self, scope: Scope) -> Caller:
        headers = {name: value.decode("latin-1") for name, value in reversed([*scope["headers"]]) if name in _BROUGHT}
        scheme, _, bearer = headers.get(b"authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else ""
        sent = headers.get(b"x-api-key") or token
        if not sent and scope["route_handler"].opt.get("as_influx"):
            sent = _as_influx(scheme.lower(), bearer.strip(), scope["query_string"])
        if not sent and not await self._guarded():
            return Caller()
        if self._tokens is not None and sent == token and "." in token:  # which no key has
            bearer_of = await self._tokens.read(token)
            return Caller(bearer_of.subject, bearer_of.role, tuple(sorted(bearer_of.sees.items())))
        key = await self._keys.look(sent)
        if key is None:
            why = "this key can't be used: it is unknown, expired or revoked" if sent else "this needs a key"
            raise NotAuthorizedException(
                f"{why}; send one as Authorization: Bearer …, or as X-API-Key (storemon keys create makes them)",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Caller(key.id, key.role, tuple(sorted(key.sees.items())))

    async def _guarded(self) -> bool:
        """Tell whether there are keys, or an issuer; once there were some, there always are."""
        if not self._is_guarded and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._is_guarded, self._looked_at = await self._keys.exist(), time.monotonic()
        return self._is_guarded


def _instead(scope: Scope) -> str:
    """Say what whoever sees some stores can do where it is about all of them."""
    is_newest = scope["path"].startswith(("/v1/", "/api/v2/"))
    return "use one that sees all" if is_newest else "ask under /v1"


def _as_influx(scheme: str, rest: str, query: bytes) -> str:
    """Find the key as clients of InfluxDB send it: as a token, as the password, or as the parameter ``p``."""
    if scheme == "token":
        return rest
    if scheme == "basic":
        with suppress(ValueError):
            return b64decode(rest, validate=True).decode().partition(":")[2]
    found = PASSWORD.search(query.decode("latin-1"))
    return unquote_plus(found[0]) if found else ""


def tokens_of(settings: Settings) -> "Tokens | None":
    """Take the tokens of the issuer that the settings name, None if they name none.

    Raises:
        InputError: they don't go together, or the library for tokens is not installed.

    """
    if not settings.issuer:
        if settings.audience or settings.jwks:
            raise InputError("an audience or keys (jwks) are of no use without STOREMON_ISSUER; set it, or neither")
        return None
    if find_spec("jwt") is None or find_spec("cryptography") is None:
        raise InputError("to let in JWTs, PyJWT must be installed; install it with: pip install 'storemon[jwt]'")
    from storemon.service.door.tokens import Tokens  # noqa: PLC0415 - who names no issuer need not have PyJWT

    return Tokens(settings)


def caller_of(scope: Scope) -> Caller:
    """Tell who asks."""
    caller: Caller = scope["state"]["caller"]
    return caller
