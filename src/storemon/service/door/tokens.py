"""JWTs: who may ask by the word of an issuer, whose keys (a JWKS) lie in a file or are fetched from an address.

What decides is the configuration, never the token: which algorithms, which keys, whose word, for whom. A token whose
claims can't be read is refused; nothing that it lacks is made up for.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import jwt
import structlog
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, ServiceUnavailableException

from storemon.engine.tags import parse_where
from storemon.errors import FileError, InputError
from storemon.lake.schemas import EVERY_STORE
from storemon.records.keys import ROLES, Role
from storemon.settings import Settings

OUT_OF_REACH = "issuer-out-of-reach"
"""The kind of problem that it is when nobody can tell which keys the issuer has."""

_KINDS_OF_KEY = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key that an algorithm takes, by its first two letters."""
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those in which only the issuer can sign. In HS256 and its like whoever can check a token could make one."""
_LONGEST_LEEWAY = 600
_LONGEST_SUBJECT = 255
_FRESH_SECONDS, _KEPT_SECONDS = 300, 3600
"""After so long the keys are fetched anew; for so long they are good while that fails."""
_PAUSE_SECONDS = 10
"""How long nothing is fetched after a fetch, whatever keys tokens name."""
_FETCH_SECONDS = 5
_Keys = Mapping[str, jwt.PyJWK]
_log = structlog.stdlib.get_logger("storemon.tokens")


class Bearer(NamedTuple):
    """Whom a token is of."""

    subject: str
    """Under a name that no key has."""
    role: Role
    sees: Mapping[str, str]


class Tokens:
    """Lets in who brings a token of the issuer."""

    def __init__(self, settings: Settings) -> None:
        """Take an issuer as the settings tell.

        Raises:
            InputError: they don't tell all that is needed, or what can't be.
            FileError: the file of the keys can't be read.

        """
        _require_sense(settings)
        self._issuer, self._audience, self._leeway = settings.issuer, settings.audience, settings.leeway
        self._algorithms: tuple[str, ...] = settings.algorithms
        self._role_claim, self._filter_claim = settings.role_claim, settings.filter_claim
        self._keys = _Fetched(settings.jwks) if _is_address(settings.jwks) else _Filed(Path(settings.jwks))

    async def read(self, token: str) -> Bearer:
        """Tell whom a token is of.

        Raises:
            NotAuthorizedException: it is none of this issuer for this service, or not valid now.
            PermissionDeniedException: it is, and does not say what its bearer may do.
            ServiceUnavailableException: the issuer's keys are out of reach.

        """
        try:
            header = jwt.get_unverified_header(token)
            named, algorithm = header.get("kid"), header.get("alg")
            if algorithm not in self._algorithms:
                raise jwt.InvalidAlgorithmError(f"it must be signed in {' or '.join(self._algorithms)}")
            if not named:
                raise jwt.InvalidTokenError("it does not name its key (kid)")
            key = await self._keys.find(named)
            if key is None or not _takes(key, algorithm):
                raise jwt.InvalidTokenError("the issuer has no such key")
            claims = jwt.decode(
                token,
                key.key,
                [algorithm],
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
            )
            return Bearer(_subject(claims["sub"]), self._role(claims), self._sees(claims))
        except jwt.PyJWTError as error:
            raise NotAuthorizedException(
                f"this token can't be used: {error}", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            ) from error

    def _role(self, claims: Mapping[str, Any]) -> Role:
        told = claims.get(self._role_claim)
        named = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        if known := [role for role in ROLES if role in named]:
            return known[-1]
        raise PermissionDeniedException(
            f"the token does not say what its bearer may do: its claim {self._role_claim!r} must be one of "
            f"{', '.join(ROLES)}, or a list with one of them"
        )

    def _sees(self, claims: Mapping[str, Any]) -> dict[str, str]:
        """Read the filter. What is not there, or empty, is no wish to show all."""
        told = claims.get(self._filter_claim) if self._filter_claim else EVERY_STORE
        if told == EVERY_STORE:
            return {}
        if isinstance(told, dict):
            told = [f"{tag}={value}" if _is_text(value) and "=" not in tag else None for tag, value in told.items()]
        if told and isinstance(told, list) and all(map(_is_text, told)):
            with suppress(InputError):
                sees = parse_where(told)
                if all(sees.values()):
                    return sees
        raise PermissionDeniedException(
            f"the token does not say which stores its bearer sees: its claim {self._filter_claim!r} must be an object "
            f'like {{"region": "West"}}, a list like ["region=West"], or "{EVERY_STORE}" for all'
        )


def _subject(told: str) -> str:
    if not 0 < len(told) <= _LONGEST_SUBJECT or not _is_text(told):
        raise jwt.InvalidTokenError(f"its subject (sub) must be a text of 1 to {_LONGEST_SUBJECT} characters")
    return "token:" + quote(told, safe="@|/:+,")  # no space and no line of its own, wherever it is written


def _is_text(told: object) -> bool:
    """Tell whether it is a text; JSON can hold halves of characters, which nothing else can."""
    return isinstance(told, str) and told.encode(errors="replace").decode() == told


class _Filed:
    """Keys in a file, read again when it has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state: tuple[int, ...] = ()
        self._keys: _Keys = {}
        self._read()

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """Find a key; those that were read last are good while the file can't be read."""
        try:
            self._read()
        except FileError as error:
            if kid not in self._keys:
                raise _out_of_reach(error) from error
        return self._keys.get(kid)

    def _read(self) -> None:
        try:
            found = self._file.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state != self._state:
                self._keys, self._state = _keys_of(json.loads(self._file.read_bytes())), state
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise FileError(f"{self._file}: the keys of the issuer can't be read: {error}") from error


class _Fetched:
    """Keys from an address, fetched when they are first needed, and anew when they are old or one is not known."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = jwt.PyJWKClient(address, cache_jwk_set=False, timeout=_FETCH_SECONDS)
        self._keys: _Keys = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """Find a key; who names one that is known never waits."""
        now = time.monotonic()
        is_known = kid in self._keys and now - self._fetched_at < _KEPT_SECONDS
        if self._fetching is None and now - self._tried_at >= (_FRESH_SECONDS if is_known else _PAUSE_SECONDS):
            self._tried_at = now
            self._fetching = asyncio.create_task(self._fetch())
        if is_known:
            return self._keys[kid]
        if self._fetching is not None:
            await asyncio.wait({self._fetching}, timeout=_FETCH_SECONDS)
        if self._fetching is not None:
            raise _out_of_reach(TimeoutError(f"nothing came for {_FETCH_SECONDS} seconds"))
        if self._failure is not None:
            raise _out_of_reach(self._failure)
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            keys = await asyncio.to_thread(self._client.fetch_data)  # nobody else should wait for the network
            self._keys, self._failure, self._fetched_at = _keys_of(keys), None, time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever an address may answer
            self._failure = error
            _log.warning("keys of the issuer out of reach", address=self._address, reason=str(error))
        finally:
            self._fetching = None


def _keys_of(told: object) -> _Keys:
    """Read a JWKS: the keys for signing by their ids.

    Raises:
        jwt.PyJWTError: there are none.

    """
    if not isinstance(told, dict):
        raise jwt.PyJWKSetError("it is no JSON object")
    known = [key for key in jwt.PyJWKSet.from_dict(told).keys if key.key_type in {*_KINDS_OF_KEY.values()}]
    keys = {key.key_id: key for key in known if key.key_id and key.public_key_use in {"sig", None}}
    if not keys:
        raise jwt.PyJWKSetError("it has no key for signing with an id (kid), of the kinds RSA, EC and OKP")
    return keys


def _takes(key: jwt.PyJWK, algorithm: str) -> bool:
    """Tell whether a key is for an algorithm: of its kind, and for no other one that the issuer names."""
    named = key._jwk_data.get("alg", algorithm)  # noqa: SLF001 - what PyJWK tells is a guess where it is not named
    return key.key_type == _KINDS_OF_KEY[algorithm[:2]] and named == algorithm


def _out_of_reach(error: Exception) -> ServiceUnavailableException:
    _log.error("keys of the issuer out of reach", reason=str(error))
    return ServiceUnavailableException(
        "the keys of the issuer are out of reach, so that nobody can tell whether this token is good; try again soon",
        headers={"Retry-After": str(_PAUSE_SECONDS)},
        extra={"kind": OUT_OF_REACH},
    )


def _is_address(jwks: str) -> bool:
    return "://" in jwks


def _require_sense(settings: Settings) -> None:
    """Refuse settings that would let in nobody, or everybody.

    Raises:
        InputError: they do.

    """
    for name in ("audience", "jwks"):
        if not getattr(settings, name):
            raise InputError(f"tokens of {settings.issuer} need STOREMON_{name.upper()} too; set it, or no issuer")
    if not settings.algorithms or (other := [name for name in settings.algorithms if name not in _ALGORITHMS]):
        named = other[0] if settings.algorithms else "none"
        raise InputError(f"tokens can't be signed in {named!r}; choose from: {', '.join(_ALGORITHMS)}")
    if settings.leeway.total_seconds() > _LONGEST_LEEWAY:
        raise InputError(f"clocks can't differ by {settings.leeway}; a leeway is {_LONGEST_LEEWAY} seconds at the most")
    if _is_address(settings.jwks):
        address = urlsplit(settings.jwks)
        is_safe = address.scheme == "https" or (address.scheme == "http" and _is_here(address.hostname))
        if not (is_safe and address.hostname):
            raise InputError(
                f"the keys of the issuer can't be fetched from {settings.jwks}: whoever is in between could change "
                "them; name a file or an https address"
            )


def _is_here(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
