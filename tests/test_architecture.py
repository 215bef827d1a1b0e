"""The house rules that a reader relies on: one direction, a quick start, one public face, one tree of errors."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

import storemon
from storemon import errors
from tests.conftest import environment

ROOT = Path(__file__).parent.parent
HEAVY = "deltalake duckdb httpx litestar numpy pandas polars pyarrow sqlalchemy structlog uvicorn"
ERRORS = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)


def test_imports_point_in_one_direction() -> None:
    kept = ran(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert "0 broken" in kept.stdout


def test_every_room_has_its_place_in_the_contract() -> None:
    layers, asking = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {room for layer in layers["layers"] for room in layer.split(" | ")}
    graph = grimp.build_graph("storemon", cache_dir=None)
    rooms = {module for module in graph.modules if module.count(".") == 1}
    assert rooms - named == {"storemon.__main__"}
    assert not graph.find_modules_that_directly_import("storemon.__main__")
    assert {*asking["source_modules"]} < named


def test_no_two_modules_import_each_other() -> None:
    graph = grimp.build_graph("storemon", cache_dir=None)
    for module in graph.modules:
        assert not graph.find_modules_directly_imported_by(module) & graph.find_modules_that_directly_import(module)


def test_every_room_says_what_it_is_for() -> None:
    for room in (ROOT / "src" / "storemon").glob("*/"):
        if room.name != "__pycache__":
            assert ast.get_docstring(ast.parse((room / "__init__.py").read_text())), room


@pytest.mark.parametrize(
    "code",
    [
        "import storemon; storemon.InputError",
        "from storemon.settings import Settings; Settings.load()",
        "from storemon.cli import main; main()",
    ],
)
def test_what_is_light_stays_light(code: str) -> None:
    told = "import atexit, sys; atexit.register(lambda: sys.stderr.write(repr(set(sys.modules))));"
    loaded = ran(sys.executable, "-c", f"{told} {code}", "--help")
    assert loaded.returncode == 0, loaded.stderr
    modules = ast.literal_eval(loaded.stderr)
    assert "storemon.errors" in modules
    assert not modules & {*HEAVY.split()}


def test_a_report_loads_what_reading_needs(sampled: Path) -> None:
    """Nothing of ingestion, and neither Arrow with its file systems nor what draws tables and reads Markdown."""
    told = "import atexit, sys; atexit.register(lambda: sys.stderr.write(repr(set(sys.modules))));"
    loaded = ran(
        *(sys.executable, "-c", f"{told} from storemon.cli import main; main()", "report"),
        *("--lake", str(sampled / "parquet"), "--out", str(sampled / "quick.csv")),
    )
    assert loaded.returncode == 0, loaded.stderr
    modules = ast.literal_eval(loaded.stderr.partition("}")[0] + "}")
    assert "storemon.answers.report" in modules
    assert not {name for name in modules if name.startswith("storemon.intake")}
    assert not modules & {
        "pyarrow",
        "numpy",
        "ssl",
        "markdown_it",
        "rich.markdown",
        "asyncio",
        "litestar",
        "sqlalchemy",
    }


def test_the_public_face_is_all_there_is() -> None:
    assert storemon.__all__ == sorted({*ERRORS, *storemon._LAZY})
    for name in storemon.__all__:
        public = getattr(storemon, name)
        assert public.__name__ == name
        assert public.__doc__
    ours = {name for name, value in vars(storemon).items() if getattr(value, "__module__", "").startswith("storemon")}
    assert {name for name in ours if not name.startswith("_")} <= {*storemon.__all__}
    with pytest.raises(AttributeError, match="no attribute 'Window'"):
        storemon.Window  # noqa: B018 - asking is the test


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn: dict[str, str] = {}
    branch: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if not (found := re.fullmatch(r"([ \u2500-\u257f]+)(\w+Error) {2,}\S.*", line)):
            continue
        indent, name = len(found[1]), found[2]
        branch = [(column, above) for column, above in branch if column < indent]
        drawn[name] = branch[-1][1] if branch else "Exception"
        branch.append((indent, name))
    assert drawn == {name: value.__mro__[1].__name__ for name, value in ERRORS.items()}


def test_every_error_of_the_tree_is_raised_somewhere() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert {name for name in ERRORS if f"raise {name}(" not in code} == {"StoremonError"}


@pytest.mark.parametrize(
    "command", ["ingest", "report --out report.csv", "outages", "hour-of-week", "audit", "compact"]
)
def test_a_user_need_not_have_what_only_tests_need(sampled: Path, command: str) -> None:
    """Polars asks for NumPy only when it is used, so nothing but running shows it."""
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['numpy', 'pandas'])); from storemon.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", blocked, *command.split()],
        cwd=sampled,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
