import pytest

from storemon.units.addresses import masked


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgresql://me:secret@db:5432/storemon", "postgresql://me:***@db:5432/storemon"),
        (
            "postgresql+psycopg://me:s%40e@[::1]/x?sslmode=require",
            "postgresql+psycopg://me:***@[::1]/x?sslmode=require",
        ),
        ("postgresql://me:se/cr:et@x@db/storemon", "postgresql://me:***@db/storemon"),
        ("postgresql://:secret@db/x", "postgresql://:***@db/x"),
        (
            "postgresql://db/x?user=me&password=secret&sslpassword=other",
            "postgresql://db/x?user=me&password=***&sslpassword=***",
        ),
        ("http://me:secret@here/ and http://me:other@there/", "http://me:***@here/ and http://me:***@there/"),
        ("postgresql://me@db/storemon", "postgresql://me@db/storemon"),
        ("ray://head:10001", "ray://head:10001"),
        ("s3://bucket/path", "s3://bucket/path"),
        ("/var/lib/storemon", "/var/lib/storemon"),
        ("", ""),
    ],
)
def test_no_password_is_shown(written: str, shown: str) -> None:
    assert masked(written) == shown
