"""What is in force, and where it comes from."""

from storemon.settings import Settings
from tests.conftest import Storemon


def rows(out: bytes) -> dict[str, tuple[str, str]]:
    split = [line.split() for line in out.decode().splitlines()]
    return {name: (text, source) for name, text, source in split}


def test_each_setting_is_told_with_its_source(storemon: Storemon) -> None:
    told = storemon("config", "--port", "8080", "--carry-limit", "36h", STOREMON_LAKE="s3://b/c", STOREMON_PORT="1")
    assert (told.status, told.err) == (0, "")
    found = rows(told.out)
    assert list(found) == [setting.name for setting in Settings.described()]
    assert found["lake"] == ("s3://b/c", "STOREMON_LAKE")
    assert found["port"] == ("8080", "--port")
    assert found["carry_limit"] == ("1d12h", "--carry-limit")
    others = found.keys() - {"lake", "port", "carry_limit"}
    assert {found[name][1] for name in others} == {"default"}


def test_the_defaults_are_those_of_the_page(storemon: Storemon) -> None:
    found = rows(storemon("config", STOREMON_LAKE="").out)
    assert found == {setting.name: (setting.default or "-", "default") for setting in Settings.described()}


def test_all_that_is_wrong_is_told(storemon: Storemon) -> None:
    for command in (("config",), ("serve",)):
        told = storemon(*command, STOREMON_PORT="http", STOREMON_WORKERS="0", STOREMON_LEASE="soon")
        assert (told.status, told.out) == (2, b"")
        lines = told.err.removeprefix("storemon: ").splitlines()
        assert [line.partition(":")[0] for line in lines] == [
            "STOREMON_PORT=http",
            "STOREMON_WORKERS=0",
            "STOREMON_LEASE=soon",
        ]


def test_what_is_no_setting_is_named(storemon: Storemon) -> None:
    told = storemon("config", "--prot", "1")
    assert told.status == 2
    assert told.err.startswith("storemon: there is no setting 'prot'; the settings are lake, data, ")


def test_no_password_is_shown_not_even_of_a_wrong_value(storemon: Storemon) -> None:
    url = "postgresql://me:secret@db/storemon"
    assert rows(storemon("config", "--lake", url).out)["lake"] == ("postgresql://me:***@db/storemon", "--lake")
    told = storemon("config", STOREMON_ON=url)
    assert told.status == 2
    assert "secret" not in told.err
    assert "postgresql://me:***@db/storemon" in told.err


def test_a_variable_that_is_no_setting_is_told(storemon: Storemon) -> None:
    told = storemon("config", STOREMON_PROT="8080", STOREMON_NO_SUCH_THING="1", STOREMON_PORT="1")
    assert told.status == 0
    assert told.err.splitlines() == [
        "storemon: STOREMON_NO_SUCH_THING: there is no such setting",
        "storemon: STOREMON_PROT: there is no such setting; did you mean STOREMON_PORT?",
    ]
