"""Many clients of a service at once, from a process of their own: ``python -m benchmarks.load`` prints what they saw.

Each keeps its connection. With a pause, each asks every so many seconds, whatever the others do, and counts from the
instant at which it meant to ask: so an answer that is late makes the next ones late too, and is not forgotten.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit


class Load(NamedTuple):
    """What is asked of whom: a path, by so many clients, so often, for so long."""

    url: str
    clients: int
    seconds: float
    pause: float = 0
    until: str = ""
    """A file: they go on, beyond the time, until it is there."""
    body: str = ""
    """A file that is posted as JSON; none to get."""


class Seen(NamedTuple):
    """What the clients saw: the seconds that each answer took, and what was wrong."""

    latencies: list[float]
    errors: list[str]
    seconds: float


def _request(path: str, host: str, file: str) -> bytes:
    if not file:
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    body = Path(file).read_bytes()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def _client(load: Load, place: float, ends_at: float, seen: Seen) -> None:
    """Ask as one client; its place among them, from 0 to 1, says when it begins."""
    where = urlsplit(load.url)
    path = f"{where.path}?{where.query}" if where.query else where.path
    request = _request(path, where.netloc, load.body)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    meant = time.perf_counter() + place * load.pause
    while time.perf_counter() < ends_at or (load.until and not os.path.exists(load.until)):  # noqa: ASYNC240, PTH110 - quick
        if load.pause:
            await asyncio.sleep(max(0, meant - time.perf_counter()))
        begun = meant if load.pause else time.perf_counter()
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            if head[9:12] not in {b"200", b"202", b"204"}:
                seen.errors.append(f"{head[9:12].decode()} {body[:200]!r}")
        except (OSError, asyncio.IncompleteReadError, StopIteration) as error:
            seen.errors.append(repr(error))
            return
        seen.latencies.append(time.perf_counter() - begun)
        meant += load.pause
    writer.close()


async def _all(load: Load) -> Seen:
    begun = time.perf_counter()
    seen = Seen([], [], 0)
    await asyncio.gather(*(_client(load, n / load.clients, begun + load.seconds, seen) for n in range(load.clients)))
    return seen._replace(seconds=time.perf_counter() - begun)


def _main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    asked.add_argument("url")
    asked.add_argument("--clients", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=1)
    asked.add_argument("--pause", type=float, default=0)
    asked.add_argument("--until", default="")
    asked.add_argument("--body", default="")
    json.dump(asyncio.run(_all(Load(**vars(asked.parse_args())))), sys.stdout)


if __name__ == "__main__":
    _main()
