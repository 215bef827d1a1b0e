"""The examples of docs/live.md for HTTP, run as they stand there, but for the address."""

import gzip
import os
import re
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from storemon.records.keys import opened_keys
from storemon.settings import Settings
from tests.service.server import REAL, Server, running
from tests.service.test_pushed import in_lake, poll, waiting
from tests.service.waiting import until

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text("utf-8").partition("## Formats")[0]
HERE = "http://127.0.0.1:8000"


def examples_in(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def key_of(settings: Settings) -> str:
    with opened_keys(settings) as keys:
        return keys.create("writer")[1]


def as_telegraf_sends(server: Server, config: dict[str, Any], result_code: int, nanosecond: int) -> tuple[str, bytes]:
    """Do what Telegraf does with an answer of the page: add tags, map the field, write the line, pack it."""
    (asked,), (enum,), (output,) = (
        config[kind][name]
        for kind, name in (("inputs", "http_response"), ("processors", "enum"), ("outputs", "influxdb_v2"))
    )
    assert output["namepass"] == enum["namepass"] == ["http_response"]
    (mapping,) = enum["mapping"]
    assert mapping["fields"] == ["result_code"]
    mapped = mapping["value_mappings"].get(str(result_code), mapping["default"])
    tags = {"host": "a", "method": "GET", "server": asked["urls"][0]} | asked["tags"]
    named = ",".join(f"{name}={value}" for name, value in tags.items())
    fields = f'http_response_code=200i,response_time=0.02,result_code={result_code}i,{mapping["dest"]}="{mapped}"'
    asked_for = f"bucket={output['bucket']}&org={output['organization']}"
    (url,) = output["urls"]
    line = f"http_response,{named} {fields} {nanosecond}\n"
    return f"{url.replace(HERE, server.url)}/api/v2/write?{asked_for}", gzip.compress(line.encode())


def test_examples(settings: Settings) -> None:
    key = key_of(settings)
    shells, (python,), (telegraf,) = examples_in("sh"), examples_in("python"), examples_in("toml")
    with running(*REAL) as server, server.client() as client:
        for shell in shells:
            ran = subprocess.run(
                ["sh", "-ec", shell.replace(HERE, server.url)],
                env=os.environ | {"KEY": key},
                capture_output=True,
                text=True,
                check=True,
            )
            for line in ran.stdout.replace("}{", "}\n{").splitlines():
                assert line in shell
        known: dict[str, Any] = {}
        exec(python, known)  # noqa: S102 - it is ours
        assert known["send"]([poll("python"), poll("")], key, f"{server.url}/v1/polls")[0]["line"] == 2
        config = tomllib.loads(telegraf)
        assert config["outputs"]["influxdb_v2"][0]["token"] == "$STOREMON_KEY"  # noqa: S105
        for result_code in (0, 3):
            url, body = as_telegraf_sends(server, config, result_code, (1727998401 + result_code) * 10**9)
            headers = {
                "Authorization": f"Token {key}",
                "Content-Encoding": "gzip",
                "Content-Type": "text/plain; charset=utf-8",
            }
            answer = client.post(url, content=body, headers=headers)
            assert (answer.status_code, answer.content) == (204, b"")
        until(lambda: not waiting(settings))
    assert in_lake(settings) == ["7", "7", "7", "8", "9", "python"]


def test_the_example_sends_again(settings: Settings) -> None:
    """While the inbox is full, and while nobody answers."""
    key = key_of(settings)
    known: dict[str, Any] = {}
    exec(examples_in("python")[0], known)  # noqa: S102
    waits: list[float] = []
    Path("parquet").write_text("no folder, so nothing is moved")

    def wait(seconds: float) -> None:
        waits.append(seconds)
        Path("parquet").unlink(missing_ok=True)
        until(lambda: not waiting(settings))

    known["time"] = SimpleNamespace(sleep=wait)
    with running(*REAL, STOREMON_INBOX="1B") as server:
        for store in ("first", "second"):
            assert known["send"]([poll(store)], key, f"{server.url}/v1/polls") == []
        until(lambda: not waiting(settings))
    assert waits == [5]
    assert in_lake(settings) == ["first", "second"]

    known["time"] = SimpleNamespace(sleep=waits.append)
    try:
        known["send"]([poll("third")], key, f"{server.url}/v1/polls")
    except TimeoutError as error:
        assert server.url in str(error)  # noqa: PT017
    assert len(waits) == 13
    assert 0.5 <= waits[1] <= 1
    assert 30 <= waits[-1] <= 60
