"""What the pages say that a command prints is what it prints."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from storemon.units.zones import EDITION
from tests.conftest import COMMAND, environment

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(page.name for page in DOCS.glob("*.md") if "--lake example" in page.read_text(encoding="utf-8"))


def consoles(page: str) -> list[tuple[str, str]]:
    """List the commands of a page's console blocks, each with what it is said to print."""
    blocks = re.findall(r"^```console\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands = [command for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command.partition("\n")[0], command.partition("\n")[2]) for command in commands]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that looks like the project's, with the example in a lake."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "docs").symlink_to(DOCS)
    storemon(folder, "storemon ingest docs/example --lake example")
    return folder


def storemon(folder: Path, command: str) -> str:
    program, *arguments = shlex.split(command)
    assert program == "storemon"
    done = subprocess.run([*COMMAND, *arguments], cwd=folder, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows(example: Path, page: str) -> None:
    shown = [(command, output) for command, output in consoles(page) if "--lake example" in command and output]
    assert shown
    for command, output in shown:
        # The edition of the time zones is that of the day on which the dependencies were pinned.
        assert storemon(example, command) == re.sub(r"edition \w+", f"edition {EDITION}", output), command
