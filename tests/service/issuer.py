"""An issuer of JWTs: its keys, its tokens, and the address where its keys are."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

NAME, AUDIENCE = "https://issuer.example", "storemon"
ROWS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def private_key(algorithm: str, number: int = 0) -> Any:
    return _made(algorithm, number)


@cache
def _made(algorithm: str, _: int) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def public_jwk(algorithm: str, number: int = 0, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = ROWS[algorithm].to_jwk(private_key(algorithm, number).public_key(), as_dict=True)
    return told | {"kid": f"{algorithm}-{number}", "use": "sig", "alg": algorithm} | more


def jwks(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [*(keys or map(public_jwk, ROWS))]}


def claims(**other: Any) -> dict[str, Any]:
    """Those of a good token, but for some; None leaves one out."""
    now = int(time.time())
    good = {"iss": NAME, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300, "role": "reader"}
    return {name: value for name, value in (good | other).items() if value is not None}


def token(algorithm: str = "ES256", number: int = 0, *, kid: str | None = "", **other: Any) -> str:
    headers = {} if kid is None else {"kid": kid or f"{algorithm}-{number}"}
    return jwt.encode(claims(**other), private_key(algorithm, number), algorithm, headers=headers)


def unsigned(header: dict[str, Any], body: dict[str, Any], signature: str = "") -> str:
    parts = (base64url_encode(json.dumps(part).encode()).decode() for part in (header, body))
    return ".".join([*parts, signature])


def bearing(written: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {written}"}


def in_file(path: Path, *keys: dict[str, Any]) -> dict[str, Any]:
    """Write the keys into a file, and give the settings of a service that believes this issuer."""
    path.write_text(json.dumps(jwks(*keys)))
    return {"issuer": NAME, "audience": AUDIENCE, "jwks": str(path)}


class Address:
    """Where the keys are fetched: it counts, and can be told to answer otherwise."""

    def __init__(self) -> None:
        self.told = json.dumps(jwks()).encode()
        self.status, self.location = 200, ""
        self.asked = 0
        self.slow = threading.Event()
        self.slow.set()
        self.url = ""

    @property
    def settings(self) -> dict[str, Any]:
        return {"issuer": NAME, "audience": AUDIENCE, "jwks": self.url}


@contextmanager
def at_address() -> Iterator[Address]:
    address = Address()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address.asked += 1
            address.slow.wait(20)
            self.send_response(address.status)
            if address.location:
                self.send_header("Location", address.location)
            self.end_headers()
            self.wfile.write(address.told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            address.slow.set()
            server.shutdown()
            thread.join()
