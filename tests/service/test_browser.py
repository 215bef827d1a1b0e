"""The page at /schema in a real browser."""

import shutil
import subprocess
from pathlib import Path

import pytest

from storemon.settings import Settings
from tests.service.server import REAL, running

BROWSER = shutil.which("chromium")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
]


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_the_schema_page_lists_every_route(settings: Settings, tmp_path: Path) -> None:
    with running(*REAL, STOREMON_LAKE=str(settings.lake), STOREMON_REPORTS=str(tmp_path / "reports")) as server:
        shown = subprocess.run(
            [BROWSER or "", *QUIET, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom", f"{server.url}/schema"],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
    _, main = shown.split('<main id="operations">')  # what the page's script has put there
    for route in (
        "/trigger_report",
        "/get_report",
        "/get_report/{report_id}",
        "/ingest",
        "/ingest/{ingest_id}",
        "/health",
    ):
        assert f">{route}<" in main, route
    assert "//" not in shown.replace(server.url, "").split("<script>")[0]  # nothing from another host
