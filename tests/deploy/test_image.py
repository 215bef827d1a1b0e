"""The image: its description is linted, and its steps are done, in the place of what a container engine would do."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.examples import DEEP
from tests.lake.files import AT, folder
from tests.service.waiting import until

PROJECT = Path(__file__).parents[2]
DOCKERFILE = PROJECT / "deploy" / "Dockerfile"
USER = 10001


class Step(NamedTuple):
    name: str
    text: str


def steps() -> list[Step]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Step(*re.split(r"\s+", line.strip(), maxsplit=1)) for line in joined.splitlines() if line.strip()]


def told(name: str) -> str:
    """The last step of a name, in the last stage."""
    return [step.text for step in steps() if step.name == name][-1]


def environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", told("ENV")))


def test_it_is_written_as_it_should_be() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run(
        [hadolint, "--failure-threshold", "style", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_it_has_few_rights_and_nothing_of_a_secret() -> None:
    assert told("USER") == f"{USER}:{USER}"
    assert "/health/live" in told("HEALTHCHECK")
    assert "--require-hashes" in DOCKERFILE.read_text()
    assert not re.search(r"(?i)password|secret|token", " ".join(step.text for step in steps()))
    assert told("VOLUME") == told("WORKDIR") == "/srv/storemon"


def test_only_what_is_needed_is_sent_to_the_engine() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    wanted = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = [step.text.split()[:-1] for step in steps() if step.name == "COPY" and "--from" not in step.text]
    assert {name for names in copied for name in names} == wanted


# ---- its steps


can = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv") or not DEEP,
    reason="it needs root, unshare and setpriv, and half a minute: DEEP_TESTS=1",
)
BEFORE = """
set -euo pipefail
mkdir -p {room}/srv {room}/python
mount --bind {room}/srv /srv
mkdir -p /srv/python
mount --bind {python} /srv/python
export PATH={room}/bin:$PATH
umask 022
"""
READ_ONLY = """
mount --bind /srv/storemon /srv/storemon
mount -t tmpfs tmpfs /tmp
mount -o remount,bind,ro /srv
mount -o remount,bind,ro /
cd /srv/storemon
"""
AS_NOBODY = (
    f"exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
)


class Image(NamedTuple):
    """What the steps have made."""

    room: Path

    def command(self, *arguments: str, **variables: str) -> list[str]:
        """Run something in it: no variable but its own, no right, nothing to write to but its own folder."""
        env = environment() | variables
        env["PATH"] = env["PATH"].replace("$PATH", "/usr/bin:/bin")
        run = f'{AS_NOBODY} env --ignore-environment {" ".join(f"{name}={text}" for name, text in env.items())} "$@"'
        return ["unshare", "--mount", "bash", "-c", before(self.room) + READ_ONLY + run, "bash", *arguments]


def before(room: Path) -> str:
    return BEFORE.format(room=room, python=sys.base_prefix)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    room = Path("/var/tmp") / f"storemon-image-{os.getpid()}"  # noqa: S108 - /tmp is another one there
    (room / "bin").mkdir(parents=True)
    (room / "bin" / "python").symlink_to("/srv/python/bin/python3")
    script = [before(room)]
    for step in steps():
        if step.name == "ARG":
            script.append(f"export {step.text}")
        elif step.name == "WORKDIR":
            script.append(f"mkdir -p {step.text}; cd {step.text}")
        elif step.name == "COPY" and "--from" not in step.text:
            *names, to = step.text.split()
            sources = " ".join(f"{PROJECT}/{name}" for name in names)
            script.append(f"cp -r --no-preserve=all {sources} {to}")
        elif step.name == "RUN":
            script.append(step.text)
    script.append("rm -r /srv/src")  # what is not in the last stage
    try:
        subprocess.run(["unshare", "--mount", "bash", "-c", "\n".join(script)], check=True, capture_output=True)
        yield Image(room)
    finally:
        shutil.rmtree(room)


@can
def test_its_steps_make_a_service_that_needs_no_right(image: Image, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(image.command(*arguments), capture_output=True, check=False)

    refused = run("storemon", "serve")
    assert (refused.returncode, b"storemon keys create" in refused.stderr) == (2, True), refused.stderr
    key = run("storemon", "keys", "create", "--role", "admin").stdout.decode().strip()
    assert key.startswith("storemon_")
    shutil.copytree(folder(tmp_path / "csv", polls=[f"a,active,{AT}"]), image.room / "srv" / "storemon" / "data")
    log = tmp_path / "log"
    with log.open("wb") as written:
        serve = image.command("storemon", "serve", STOREMON_HOST="127.0.0.1", STOREMON_PORT="0")
        service = subprocess.Popen(serve, stderr=written)
    try:
        (port,) = until(lambda: re.findall(r'"port": ?(\d+)', log.read_text()))
        headers = {"X-API-Key": key}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            ingestion = client.post("/ingest", json={"path": "data"}).json()["ingest_id"]
            until(lambda: client.get(f"/ingest/{ingestion}").json()["status"] == "Complete")
            report = client.post("/trigger_report").json()["report_id"]
            until(lambda: client.get(f"/get_report/{report}").content.startswith(b"store_id,"))
            assert client.get("/health/ready").status_code == 200
        process = Path(f"/proc/{service.pid}/status").read_text()
        assert re.search(rf"Uid:\s+{USER}\s+{USER}", process)
        assert re.search(r"CapEff:\s+0+\n", process)
        check = healthcheck()
        assert subprocess.run(image.command(*check, STOREMON_PORT=port), check=False).returncode == 0
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) in {0, -signal.SIGTERM}
    assert subprocess.run(image.command(*check, STOREMON_PORT=port), capture_output=True, check=False).returncode == 1
    assert {path.name for path in (image.room / "srv").iterdir()} == {"app", "python", "storemon"}
    assert {path.name for path in (image.room / "srv" / "storemon").iterdir()} == {"data", "parquet", "reports"}
    assert run("python", "-m", "pip", "--version").returncode == 1, "nothing more can be installed"
    assert run("touch", "/srv/app/x").returncode == 1


def healthcheck() -> list[str]:
    found: list[str] = json.loads(told("HEALTHCHECK").partition("CMD ")[2])
    return found
