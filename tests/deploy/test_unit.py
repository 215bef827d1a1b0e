"""The systemd unit: systemd finds nothing amiss in it, and little that it could do to the machine."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.lake.files import AT, folder

UNIT = Path(__file__).parents[2] / "deploy" / "storemon.service"
EXPOSURE = 1.5
CANNOT = 77
FORBIDDING = f"""
import ctypes, os, sys
set_it, refuse = 65, 1  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
if ctypes.CDLL(None).prctl(set_it, refuse, 0, 0, 0):
    sys.exit({CANNOT})
os.execv(sys.executable, [sys.executable, "-m", "storemon", *sys.argv[1:]])
"""
analyzed = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")


def analyze(*arguments: str | Path) -> str:
    ran = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
    return ran.stdout


@analyzed
def test_systemd_takes_it(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert "ExecStart=/opt/storemon/bin/storemon serve\n" in text
    there = tmp_path / UNIT.name
    there.write_text(text.replace("/opt/storemon/bin/storemon", "/bin/true"))  # as it is not installed
    analyze("verify", "--man=no", there)


@analyzed
def test_it_could_do_little_harm() -> None:
    told = analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}", UNIT)
    exposure = re.search(r"Overall exposure level for storemon.service: ([\d.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= EXPOSURE


def test_no_secret_is_in_it() -> None:
    text = UNIT.read_text()
    assert "WorkingDirectory=/var/lib/storemon\n" in text, "where the folders of the defaults are"
    assert not re.search(r"(?i)password|secret", text.replace("Settings and secrets come from", ""))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told so")
def test_it_needs_no_memory_that_is_both_written_and_run(tmp_path: Path) -> None:
    """What MemoryDenyWriteExecute forbids, the kernel can forbid by itself: then everything works all the same."""
    folder(tmp_path / "data", polls=[f"a,active,{AT}"])
    variables = dict(re.findall(r"^Environment=(POLARS_\w+)=(\S+)$", UNIT.read_text(), re.MULTILINE))
    assert variables
    for command in (["ingest"], ["report"], ["outages"], ["keys", "create"], ["backup", "b.tar.zst"]):
        ran = subprocess.run(
            [sys.executable, "-c", FORBIDDING, *command],
            cwd=tmp_path,
            env=environment(**variables),
            capture_output=True,
            check=False,
        )
        if ran.returncode == CANNOT:
            pytest.skip("this kernel cannot forbid it")
        assert ran.returncode == 0, ran.stderr.decode()
