from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.records.conftest import records, settings
from tests.watch.receiving import Certificate, Hook, certificate_of

__all__ = ["records", "settings"]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        yield server


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """A certificate of localhost that is trusted, as far as this test goes."""
    made = certificate_of(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made
