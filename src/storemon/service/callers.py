"""Who asks: found out before any route is taken, by the key that a request brings."""

import time
from typing import Any, NamedTuple

import structlog
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from storemon.engine.seen import Conditions, SeenSnapshot
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.records.keys import ROLES, Keys, Role
from storemon.settings import Settings

Connection = ASGIConnection[Any, Any, Any, Any]
_LOOK_SECONDS = 1  # for so long a service that had no keys may not know of the first one
_log = structlog.stdlib.get_logger("storemon.audit")

NOBODY = {"role": None}
"""What a route says that needs no key."""


def needs(role: Role) -> dict[str, Any]:
    """Say of a route which role may take it; of those that say nothing, it is a reader."""
    return {"role": role}


class Caller(NamedTuple):
    """Who asks."""

    key: str | None = None
    """The id of the key; None for anybody, where there are no keys."""
    role: Role = "admin"
    sees: Conditions = ()
    """The tags of the stores that are seen; none for all."""

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
    """Lets a request in by its key, as far as the role of that goes, and writes down who writes."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._is_guarded = False
        self._looked_at = float("-inf")

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find out who asks, and refuse who may not."""
        is_schema = scope["path"].startswith("/schema")  # Litestar's own routes
        needed: Role | None = None if is_schema else scope["route_handler"].opt.get("role", "reader")
        caller = Caller() if needed is None else self._caller(scope)
        if needed is not None and not caller.may(needed):
            raise PermissionDeniedException(f"this key is that of a {caller.role}; for this one must be {needed}")
        scope["state"]["caller"] = caller
        if needed in {None, "reader"}:
            await next_app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked = {"method": scope.get("method"), "path": scope["path"]}
                _log.info("write", key=caller.key, **asked, status=message["status"])
            await send(message)

        await next_app(scope, receive, told)

    def _caller(self, scope: Scope) -> Caller:
        headers = Connection(scope).headers
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        sent = headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")
        if not sent and not self._guarded():
            return Caller()
        key = self._keys.find(sent)
        if key is None:
            why = "this key can't be used: it is unknown, expired or revoked" if sent else "this needs a key"
            raise NotAuthorizedException(
                f"{why}; send one as Authorization: Bearer …, or as X-API-Key (storemon keys create makes them)",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Caller(key.id, key.role, tuple(sorted(key.sees.items())))

    def _guarded(self) -> bool:
        """Tell whether there are keys; once there were some, there always are."""
        if not self._is_guarded and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._is_guarded, self._looked_at = self._keys.any(), time.monotonic()
        return self._is_guarded


async def require_all_stores(connection: Connection, _: BaseRouteHandler) -> None:
    """Keep out of a route whose answer is about all stores who may see some only.

    Raises:
        PermissionDeniedException: it is such a one.

    """
    if caller_of(connection.scope).sees:
        raise PermissionDeniedException("this is about all stores, and this key sees some only; ask under /v1")


def caller_of(scope: Scope) -> Caller:
    """Tell who asks."""
    caller: Caller = scope["state"]["caller"]
    return caller
