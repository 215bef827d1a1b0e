"""JWTs: whose word counts, for whom, what its claims say, and where the issuer's keys are."""

import hashlib
import hmac
import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode
from litestar import Litestar
from litestar.testing import TestClient

from storemon.errors import FileError, InputError
from storemon.intake.lake import Lake
from storemon.records.keys import opened_keys
from storemon.service.app import create_app, serve
from storemon.service.door import tokens
from storemon.service.door.callers import tokens_of
from storemon.settings import Settings
from tests.service.issuer import (
    AUDIENCE,
    NAME,
    ROWS,
    Address,
    at_address,
    bearing,
    claims,
    in_file,
    jwks,
    private_key,
    public_jwk,
    token,
    unsigned,
)

Client = TestClient[Litestar]


@contextmanager
def serving(settings: Settings, **more: Any) -> Iterator[Client]:
    with TestClient(create_app(msgspec.structs.replace(settings, **more))) as client:
        yield client


@pytest.fixture
def issued(settings: Settings, lake: Lake) -> Iterator[Client]:  # noqa: ARG001 - there are polls
    with serving(settings, **in_file(Path("jwks.json"))) as client:
        yield client


@pytest.fixture
def address() -> Iterator[Address]:
    with at_address() as found:
        yield found


def asked(client: Client, written: str) -> int:
    return client.get("/v1/report", headers=bearing(written)).status_code


def why(client: Client, written: str) -> str:
    answer = client.get("/v1/report", headers=bearing(written))
    assert (answer.status_code, answer.json()["type"]) == (401, "docs/problems.md#no-key")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    return str(answer.json()["detail"])


@pytest.mark.parametrize("algorithm", ROWS)
def test_each_algorithm(issued: Client, algorithm: str) -> None:
    assert asked(issued, token(algorithm)) == 200


def test_nobody_comes_in_without(issued: Client) -> None:
    for path in ("/v1/report", "/get_report"):
        assert issued.get(path).status_code == 401
    assert issued.get("/health").status_code == 200


def test_a_key_does_too(settings: Settings, issued: Client) -> None:
    with opened_keys(settings) as keys:
        _, written = keys.create("reader")
    assert issued.get("/v1/report", headers={"X-API-Key": written}).status_code == 200
    assert asked(issued, written) == 200
    assert issued.get("/v1/report", headers={"X-API-Key": token()}).status_code == 401, "a token is no key"


def test_claims_that_do_not_hold(issued: Client) -> None:
    now = int(time.time())
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"iss": "https://other.example"}, "issuer"),
        ({"iss": NAME + "/"}, "issuer"),
        ({"aud": "another"}, "[Aa]udience"),
        ({"aud": ["another"]}, "[Aa]udience"),
        ({"exp": now - 31}, "expired"),
        ({"nbf": now + 120}, "not yet valid"),
        ({"iat": now + 120}, "not yet valid"),
        ({"exp": "soon"}, "integer"),
        ({"exp": float("inf")}, "integer"),
        ({"sub": 7}, "[Ss]ubject"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "\ud800"}, "subject"),
        *(({name: None}, f'"{name}"') for name in ("exp", "iss", "aud", "sub")),
    ]
    for other, told in wrong:
        assert re.search(told, why(issued, token(**other))), other


def test_clocks_may_differ_a_little(issued: Client) -> None:
    now = int(time.time())
    assert asked(issued, token(exp=now - 10)) == 200
    assert asked(issued, token(nbf=now + 10, iat=now + 10)) == 200
    assert asked(issued, token(aud=["another", AUDIENCE])) == 200


def test_what_is_not_signed_by_the_issuer(issued: Client) -> None:
    public = private_key("RS256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = unsigned({"alg": "HS256", "kid": "RS256-0"}, claims()).rpartition(".")[0]
    forged = f"{head}.{base64url_encode(hmac.new(public, head.encode(), hashlib.sha256).digest()).decode()}"
    good = token("RS256")
    other_body = unsigned({}, claims(role="admin")).split(".")[1]
    for written in (
        unsigned({"alg": "none", "kid": "RS256-0"}, claims()),
        unsigned({"alg": "None", "kid": "RS256-0"}, claims()),
        unsigned({"alg": ["RS256"], "kid": "RS256-0"}, claims(), "eA"),
        unsigned({"kid": "RS256-0"}, claims(), "eA"),
        forged,
        token("RS256", 1, kid="RS256-0"),  # another key under the id of the issuer's
        token("ES256", kid="RS256-0"),
        token("ES256", kid="EdDSA-0"),
        token("ES256", 1),
        token("ES256", kid=None),
        ".".join([good.split(".")[0], other_body, good.split(".")[2]]),
        good[:-4],
        good + "x",
        good.replace(".", "", 1),
        "a.b.c",
        "...",
        ".",
        "\xff.\xff.\xff",
        "é.é.é",
        jwt.encode(claims(), private_key("RS256"), "RS256", headers={"kid": "RS256-0", "crit": ["exp"]}),
        jwt.encode(claims(), private_key("RS256"), "RS512", headers={"kid": "RS256-0"}),
        unsigned({"alg": "RS256", "kid": ["RS256-0"]}, claims(), "eA"),
        unsigned(
            {"alg": "RS256", "kid": "RS256-0", "jku": "https://evil.example", "jwk": public_jwk("RS256", 1)}, claims()
        ),
        "x" * 30_000 + ".x.x",
    ):
        answer = issued.get("/v1/report", headers=[(b"Authorization", f"Bearer {written}".encode())])
        assert answer.status_code == 401, (written, answer.text)
    assert asked(issued, good) == 200


def test_only_algorithms_of_the_settings(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - there are polls
    keys = [{name: told for name, told in public_jwk(each).items() if name != "alg"} for each in ("RS256", "ES256")]
    believed = in_file(Path("jwks.json"), *keys)
    with serving(settings, **believed, algorithms=("RS512", "ES256")) as client:
        headers = {"kid": "RS256-0"}
        assert asked(client, jwt.encode(claims(), private_key("RS256"), "RS512", headers=headers)) == 200
        assert "RS512 or ES256" in why(client, token("RS256"))
        assert asked(client, token("ES256")) == 200


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("reader", "reader"),
        ("writer", "writer"),
        (["offline_access", "writer"], "writer"),
        (["reader", "admin"], "admin"),
        *((role, "") for role in (None, "", "Reader", "king", [], ["king"], 7, {"role": "admin"}, [["admin"]], True)),
    ],
)
def test_what_a_role_may_do(issued: Client, role: object, may: str) -> None:
    headers = bearing(token(role=role))
    answer = issued.get("/v1/report", headers=headers)
    assert answer.status_code == (200 if may else 403)
    if not may:
        assert answer.json()["type"] == "docs/problems.md#not-allowed"
        assert "its claim 'role' must be one of reader, writer, admin" in answer.json()["detail"]
    written = issued.post("/ingest", json={"path": "data"}, headers=headers)
    assert written.status_code == (200 if may in {"writer", "admin"} else 403)


REGIONS = """store_id,region,brand
1,West,Acme
2,East,Acme
3,,Acme
"""


SEEN: list[tuple[object, list[str]]] = [
    ({"region": "West"}, ["1"]),
    (["region=West"], ["1"]),
    (["region=East", "brand=Acme"], ["2"]),
    ({"region": "West", "brand": "Other"}, []),
    ({"colour": "red"}, []),
    ("*", ["1", "2", "3"]),
]
NOT_READ: list[object] = [
    *(None, "", "region=West", [], {}, 7, True, ["West"], ["region="], {"region": ""}, {"region": None}, ["*"]),
    *({"region": ["West", "East"]}, ["region=West", "region=East"], [["region=West"]], {"": "West"}, ["=West"]),
    *({"region=West": "x"}, {"region": "\ud800"}, {"region": {"$ne": "West"}}, ["region=West", 7]),
]


def test_which_stores_are_seen(settings: Settings, lake: Lake) -> None:
    (settings.data / "stores.csv").write_text(REGIONS)
    lake.ingest(settings.data / "stores.csv")
    with serving(settings, **in_file(Path("jwks.json")), filter_claim="stores") as client:
        for told, seen in SEEN:
            answer = client.get("/v1/stores", headers=bearing(token(stores=told)))
            assert sorted(row["store_id"] for row in answer.json()) == seen, told
        for told in NOT_READ:
            answer = client.get("/v1/stores", headers=bearing(token(stores=told)))
            assert answer.status_code == 403, told
            assert "its claim 'stores' must be an object" in answer.json()["detail"]


def test_a_subject_that_sees_other_stores_than_before(settings: Settings, lake: Lake) -> None:
    (settings.data / "stores.csv").write_text(REGIONS)
    lake.ingest(settings.data / "stores.csv")
    with serving(settings, **in_file(Path("jwks.json")), filter_claim="stores") as client:
        same = {"Idempotency-Key": "the same"}
        seen = ["*", {"region": "West"}, {"region": "East"}, {"region": "East", "city": "Boston"}]
        told = [bearing(token(stores=stores)) for stores in seen]
        ids = [client.post("/v1/reports", headers=each | same).json()["id"] for each in told]
        assert len({*ids}) == len(ids)
        for own, each in zip(ids[1:], told[1:], strict=True):
            assert [row["id"] for row in client.get("/v1/reports", headers=each).json()["rows"]] == [own]
            for report in ids:
                for path in (f"/v1/reports/{report}", f"/v1/reports/{report}/content"):
                    assert (client.get(path, headers=each).status_code == 404) == (report != own)
        assert len(client.get("/v1/reports", headers=told[0]).json()["rows"]) == len(ids)


def test_a_subject_is_no_key(settings: Settings, issued: Client, capsys: pytest.CaptureFixture[str]) -> None:
    with opened_keys(settings) as keys:
        key, written = keys.create("admin")
    of_key = issued.post("/v1/reports", headers={"X-API-Key": written}).json()["id"]
    named = bearing(token(sub=key.id, role="writer"))
    assert issued.delete(f"/v1/reports/{of_key}", headers=named).status_code == 403
    issued.post("/ingest", json={"path": "data"}, headers=bearing(token(sub="ada b\r\nkey=root", role="writer")))
    (line,) = [line for line in capsys.readouterr().err.splitlines() if '"event":"write"' in line]
    assert json.loads(line)["key"] == "token:ada%20b%0D%0Akey%3Droot"
    same = [
        issued.post("/v1/reports", headers=bearing(token(sub=sub)) | {"Idempotency-Key": key}).json()["id"]
        for sub, key in (("a", "b c"), ("a b", "c"))
    ]
    assert len({*same}) == 2


def test_a_file_is_read_again(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - there are polls
    file = Path("jwks.json")
    with serving(settings, **in_file(file, public_jwk("ES256"))) as client:
        assert (asked(client, token()), asked(client, token("ES256", 1))) == (200, 401)
        in_file(file, public_jwk("ES256", 1))
        assert (asked(client, token()), asked(client, token("ES256", 1))) == (401, 200)
        file.write_text("{")
        assert (asked(client, token()), asked(client, token("ES256", 1))) == (503, 200)
        file.unlink()
        assert (asked(client, token()), asked(client, token("ES256", 1))) == (503, 200)
        in_file(file)
        assert (asked(client, token()), asked(client, token("ES256", 1))) == (200, 401)


def test_keys_are_fetched_once(settings: Settings, lake: Lake, address: Address) -> None:  # noqa: ARG001 - as above
    with serving(settings, **address.settings) as client:
        assert address.asked == 0
        with ThreadPoolExecutor(8) as pool:
            assert {*pool.map(lambda _: asked(client, token()), range(40))} == {200}
        assert address.asked == 1
        assert {asked(client, token(kid=f"new-{number}")) for number in range(20)} == {401}
        assert address.asked == 1, "an unknown key does not fetch them again at once"


def test_new_keys_are_found(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    address: Address,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_PAUSE_SECONDS", 0)
    with serving(settings, **address.settings) as client:
        assert asked(client, token()) == 200
        address.told = json.dumps(jwks(public_jwk("ES256", 1))).encode()
        assert (asked(client, token("ES256", 1)), asked(client, token())) == (200, 401)


def test_an_issuer_out_of_reach(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    address: Address,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_PAUSE_SECONDS", 0)
    good = address.told
    with serving(settings, **address.settings) as client:
        for status, told in ((500, b""), (404, b"nothing"), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": []}')):
            address.status, address.told = status, told
            answer = client.get("/v1/report", headers=bearing(token()))
            assert (answer.status_code, answer.json()["type"]) == (503, "docs/problems.md#issuer-out-of-reach")
            assert "retry-after" in answer.headers
            assert "kind" not in answer.json()
            answer = client.get("/get_report", headers=bearing(token()))
            assert (answer.status_code, {*answer.json()}) == (503, {"status", "title", "detail"})
        address.status, address.told = 200, good
        assert asked(client, token()) == 200
        address.status = 500
        assert asked(client, token(kid="unknown")) == 503
        assert asked(client, token("RS256")) == 200, "those that are known are good meanwhile"
        monkeypatch.setattr(tokens, "_KEPT_SECONDS", 0)
        assert asked(client, token("RS256")) == 503, "but not for ever"


def test_a_redirection_is_not_followed(settings: Settings, lake: Lake, address: Address) -> None:  # noqa: ARG001
    with at_address() as other, serving(settings, **address.settings) as client:
        address.status, address.location = 302, other.url
        assert asked(client, token()) == 503
        assert other.asked == 0


def test_nobody_else_waits_for_the_issuer(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    address: Address,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_FETCH_SECONDS", 1)
    address.slow.clear()
    with serving(settings, **address.settings) as client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asked, client, token())
        while not address.asked:
            time.sleep(0.01)
        assert client.get("/health/live").status_code == 200
        assert not waiting.done()
        assert waiting.result() == 503
        address.slow.set()


@pytest.mark.parametrize(
    ("settings_of", "told"),
    [
        ({"audience": "storemon"}, "STOREMON_ISSUER"),
        ({"jwks": "jwks.json"}, "STOREMON_ISSUER"),
        ({"issuer": NAME}, "STOREMON_AUDIENCE"),
        ({"issuer": NAME, "audience": AUDIENCE}, "STOREMON_JWKS"),
        ({"jwks": "nowhere.json"}, "nowhere.json: the keys of the issuer can't be read"),
        ({"jwks": "empty.json"}, "it has no key for signing"),
        ({"jwks": "http://issuer.example/jwks"}, "name a file or an https address"),
        ({"jwks": "ftp://issuer.example/jwks"}, "name a file or an https address"),
        ({"jwks": "file:///etc/passwd"}, "name a file or an https address"),
        ({"jwks": "https:///jwks"}, "name a file or an https address"),
        ({"algorithms": ("HS256",)}, "'HS256'; choose from: RS256"),
        ({"algorithms": ("RS256", "none")}, "'none'; choose from: RS256"),
        ({"algorithms": ()}, "choose from: RS256"),
        ({"leeway": timedelta(hours=1)}, "600 seconds at the most"),
    ],
)
def test_settings_that_make_no_sense(settings: Settings, settings_of: dict[str, Any], told: str) -> None:
    Path("empty.json").write_text(json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}))
    believed = in_file(Path("jwks.json")) if {*settings_of} & {"algorithms", "leeway"} else {}
    if {*settings_of} == {"jwks"} and settings_of["jwks"] != "jwks.json":
        believed = {"issuer": NAME, "audience": AUDIENCE}
    with pytest.raises(InputError, match=told):
        tokens_of(msgspec.structs.replace(settings, **believed | settings_of))


def test_addresses_that_are_safe(settings: Settings) -> None:
    for address in ("https://issuer.example/jwks", "http://127.0.0.1:1/jwks", "http://[::1]/x", "http://localhost/x"):
        assert tokens_of(msgspec.structs.replace(settings, issuer=NAME, audience=AUDIENCE, jwks=address))


def test_the_library_is_not_installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    monkeypatch.setattr("storemon.service.door.callers.find_spec", lambda name: None if name == "jwt" else name)
    assert tokens_of(settings) is None
    with pytest.raises(InputError, match=r"pip install 'storemon\[jwt\]'"):
        tokens_of(msgspec.structs.replace(settings, issuer=NAME, audience=AUDIENCE, jwks="x"))


def test_an_issuer_guards_every_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.service.app.configure_logs", lambda: None)
    guarded = msgspec.structs.replace(settings, **in_file(Path("jwks.json")), host="192.0.2.1", port=0)
    with pytest.raises(InputError, match="cannot listen on "):
        serve(guarded)
    Path("jwks.json").unlink()
    with pytest.raises(FileError, match="the keys of the issuer can't be read"):
        serve(guarded)
