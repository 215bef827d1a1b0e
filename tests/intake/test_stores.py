"""What stores.csv may look like: any columns, each a tag, and one row for each store."""

import re
from pathlib import Path

import pytest

from storemon import FileError
from storemon.intake.forms.known import STORES_FORM
from storemon.intake.load import load
from storemon.intake.whole import as_kept
from tests.lake.files import NOW, Read, csv, raw, read, rejects

HEADER = "store_id,name,region"
STAR = "* is every store, but tags are given to stores one by one"
ANOTHER = "an earlier row says something else of this store"


def stores(path: Path) -> Read:
    return read(path, form=STORES_FORM)


def tags(path: Path) -> list[tuple[str, str, str]]:
    """What the table keeps of a file, in order."""
    loaded = stores(path)
    return sorted(as_kept(loaded.form, loaded.accepted).rows())


def test_each_other_column_is_a_tag(tmp_path: Path) -> None:
    path = csv(tmp_path, "region, store_id ,What it's called", " West ,a,Zürich 2", "West,b,")
    assert tags(path) == [("a", "What it's called", "Zürich 2"), ("a", "region", "West"), ("b", "region", "West")]


def test_an_empty_value_is_no_tag(tmp_path: Path) -> None:
    """However it is left empty, and whichever way the file is read."""
    rows = ('a,"",x', "b,  ,x", 'c," ",x', "d,,x", "e,,")
    expected = [(store, "region", "x") for store in "abcd"]
    for more in ((), ("bad",)):
        assert tags(csv(tmp_path, HEADER, *rows, *more)) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
@pytest.mark.parametrize("more", ["", "bad"])
def test_marks_ends_and_quotes(tmp_path: Path, mark: str, end: str, more: str) -> None:
    text = mark + end.join((f'{HEADER},"a, ""b"""', 'a,"Salt, Fat",x,"say ""hi"""', '"b", "N" ,y,z', more))
    assert tags(raw(tmp_path, text)) == [
        *(("a", 'a, "b"', 'say "hi"'), ("a", "name", "Salt, Fat"), ("a", "region", "x")),
        *(("b", 'a, "b"', "z"), ("b", "name", "N"), ("b", "region", "y")),
    ]


def test_a_tag_may_have_any_other_name(tmp_path: Path) -> None:
    """Those of the reading's own columns and of SQL's words do no harm, whichever way the file is read."""
    names = [
        "line",
        "row",
        "damage",
        "reason",
        "verdict",
        "values",
        "value_0",
        "tag",
        "select",
        "state",
        "zone",
        "a;b'c",
    ]
    header, row = ",".join(("store_id", *names)), ",".join(("s", *map(str, range(len(names)))))
    expected = sorted(("s", name, str(n)) for n, name in enumerate(names))
    for more in ((), ("bad",)):
        assert tags(csv(tmp_path, header, row, *more)) == expected


def test_no_tags_at_all(tmp_path: Path) -> None:
    for more in ((), ("b,c",)):
        loaded = stores(csv(tmp_path, "store_id", "a", *more))
        assert (loaded.read, len(loaded.rejected)) == (1 + len(more), len(more))
        assert as_kept(loaded.form, loaded.accepted).is_empty()


def test_a_second_row_of_a_store(tmp_path: Path) -> None:
    """To say the same again is no contradiction; the first that can be read counts."""
    rows = ("*,x,y", "a,N,West", "b,N,West", " a , N ,West", "a,N,East", "b,N,", "a,,", "c,,", 'c,"",')
    loaded = stores(csv(tmp_path, HEADER, *rows))
    assert rejects(loaded) == [(2, rows[0], STAR), *((line, rows[line - 2], ANOTHER) for line in (6, 7, 8))]
    assert as_kept(loaded.form, loaded.accepted).rows() == [
        (store, tag, value) for store in "ab" for tag, value in (("name", "N"), ("region", "West"))
    ]


def test_no_store(tmp_path: Path) -> None:
    rows = (",x,y", "  ,x,y", "a,x", '"*",,')
    reasons = ("store_id is empty", "store_id is empty", "2 fields where the header has 3", STAR)
    assert rejects(stores(csv(tmp_path, HEADER, *rows))) == [*zip(range(2, 6), rows, reasons, strict=True)]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("store_id,name,", "a column has no name; name each one, or take it out"),
        ("store_id, ,name", "a column has no name"),
        ("store_id,name,region,name ", "two columns are called 'name'; each tag needs a name of its own"),
        ("store_id,Region,region", "two columns are called 'Region'"),
        ("store_id,store_id,name", "the column 'store_id' cannot be a tag, for answers have a column of that name"),
        ("store_id,name,Store_ID", "the column 'Store_ID' cannot be a tag"),
        ("store_id,uptime_last_hour", "the column 'uptime_last_hour' cannot be a tag"),
        ("store_id,window", "the column 'window' cannot be a tag"),
        ("name,region", "has no column store_id, which a stores.csv must have; its columns are: name, region"),
        ("store_id:name", "has no column store_id"),
    ],
)
def test_unusable_headers(tmp_path: Path, header: str, says: str) -> None:
    path = csv(tmp_path, header, "a,b,c")
    with pytest.raises(FileError, match=re.escape(says)) as error:
        stores(path)
    assert str(path) in str(error.value)


def test_a_header_that_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is not UTF-8; save the file as text in UTF-8"):
        stores(raw(tmp_path, "store_id,größe\na,1\n".encode("latin-1")))


def test_the_name_alone_makes_it_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"\(a file of stores' tags is called stores\.csv\)"):
        load(csv(tmp_path, HEADER, "a,b,c"), now=NOW)
    polls = csv(tmp_path, "store_id,status,timestamp_utc", "a,active,never", name="stores.csv")
    assert tags(polls) == [("a", "status", "active"), ("a", "timestamp_utc", "never")]


def test_the_same_rows_in_any_number(tmp_path: Path) -> None:
    rows = [f"s{n},name {n},{'West' if n % 3 else ''}" for n in range(120_000)]
    quickly, carefully = (stores(csv(tmp_path, HEADER, *rows, *more)) for more in ((), ("s7,name 7,East",)))
    assert carefully.accepted.equals(quickly.accepted)
    assert len(as_kept(quickly.form, quickly.accepted)) == 200_000
    assert rejects(carefully) == [(120_002, "s7,name 7,East", ANOTHER)]
