import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from storemon.errors import InputError
from storemon.settings import Settings

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in Settings.described():
        monkeypatch.delenv(setting.variable, raising=False)


def test_defaults() -> None:
    assert Settings.load() == Settings()
    assert Settings().carry_limit == timedelta(days=7)
    assert (Settings().host, Settings().port) == ("127.0.0.1", 8000)


def test_flags_win_over_variables_and_variables_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREMON_PORT", "1")
    monkeypatch.setenv("STOREMON_WORKERS", "2")
    monkeypatch.setenv("STOREMON_LAKE", "there")
    monkeypatch.setenv("STOREMON_HOST", "")
    settings = Settings.load(port=3, lake=None, carry_limit="90m", data=Path("csv"))
    assert settings == Settings(port=3, workers=2, lake="there", carry_limit=timedelta(minutes=90), data=Path("csv"))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("STOREMON_PORT", "http"),
        ("STOREMON_PORT", "65536"),
        ("STOREMON_WORKERS", "0"),
        ("STOREMON_CARRY_LIMIT", "a week"),
        ("STOREMON_LEASE", "0s"),
        ("STOREMON_MAX_QUEUED", "-1"),
        ("STOREMON_ON", "rya"),
    ],
)
def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(InputError, match=f"^{variable}={text}: "):
        Settings.load()


def test_a_bad_flag_is_named() -> None:
    with pytest.raises(InputError, match=r"^--carry-limit=x: "):
        Settings.load(carry_limit="x")


def test_a_flag_that_is_no_setting_is_a_bug() -> None:
    with pytest.raises(TypeError):
        Settings.load(prot=1)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    assert Settings.table() in DOCS.read_text()
    assert all(setting.help.endswith(".") for setting in Settings.described())


def test_settings_are_light() -> None:
    heavy = "print({m.split('.')[0] for m in sys.modules} & {'litestar', 'polars', 'duckdb', 'sqlalchemy', 'uvicorn'})"
    code = f"import sys, storemon.settings; {heavy}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
