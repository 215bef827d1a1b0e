"""The real server, under requests that are made of its own description: it keeps to it, and nothing breaks it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from storemon.intake.lake import Lake
from storemon.records.keys import opened_keys
from storemon.sample import write_sample
from storemon.settings import Settings
from tests.examples import DEEP, examples
from tests.service.server import REAL, running

PHASES = "coverage,fuzzing,stateful" if DEEP else "fuzzing,stateful"
NOT_CHECKED = (
    # What a window, a tag or a column can be called, no schema tells.
    "positive_data_acceptance",
    # Litestar answers OPTIONS with the methods of the first handler of a path only.
    "allow_header_conformance",
)


@pytest.mark.timeout(600)  # there are many routes, and on a busy machine each answer waits
def test_it_keeps_to_its_description(settings: Settings, tmp_path: Path) -> None:
    write_sample(settings.data, stores=12, days=5)
    Lake(settings.lake).ingest(settings.data)
    with opened_keys(settings) as keys:  # so that without one nobody is let in, which is tried too
        _, key = keys.create("admin")
    with running(*REAL, STOREMON_RATE="off") as server:
        fuzzed = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/schema/openapi.json"),
                *("--url", server.url, "--include-path-regex", "^/(v1|api/v2|ping)", "--phases", PHASES),
                *("--header", f"Authorization: Bearer {key}"),
                *("--max-examples", str(examples(40)), "--exclude-checks", ",".join(NOT_CHECKED)),
                *("--suppress-health-check", "all", "--request-timeout", "30"),
            ],
            cwd=tmp_path,
            env={name: text for name, text in os.environ.items() if name != "PYTEST_XDIST_WORKER"},
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
        )
        assert fuzzed.returncode == 0, fuzzed.stdout[-6000:]
        generated = re.search(r"(\d+) generated", fuzzed.stdout)
        assert generated
        assert int(generated[1]) > (1_000 if DEEP else 50)
        with server.client() as client:
            assert client.get("/health").status_code == 200
