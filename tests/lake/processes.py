"""Processes that ingest, started together."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.conftest import environment

WRITER = """
import json, sys
from storemon import Lake

lake, *exports = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for export in exports:
    tables = Lake(lake).ingest(export).tables
    print(json.dumps({table.table: [table.read, table.added, table.known] for table in tables}), flush=True)
"""
Told = dict[str, list[int]]
"""Of each table the rows read, added and known."""


def start(lake: Path | str, exports: Iterable[Path]) -> "subprocess.Popen[str]":
    """Start a process that ingests one export after the other, as soon as it is told to."""
    command = [sys.executable, "-c", WRITER, str(lake), *map(str, exports)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def go(writers: Sequence["subprocess.Popen[str]"]) -> None:
    """Wait until all are ready, then let all begin."""
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("\n")
        writer.stdin.flush()


def told(writer: "subprocess.Popen[str]") -> list[Told]:
    """Wait for the end, which must be a good one; give what became of each export."""
    with writer:
        out, err = writer.communicate(timeout=120)
    assert writer.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]
