"""Findings as rows of a file."""

import json
from datetime import UTC, datetime

import polars as pl

from storemon.answers.audit import Finding
from storemon.views.findings import rows_of

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
SILENT = pl.DataFrame({"store_id": ['a"b'], "last_polled_at": [AT], "unknown_us": [60_000_000]})


def test_a_row_for_each_check_with_its_examples_in_json() -> None:
    findings = (Finding("silent_stores", "Nothing is known.", 12, SILENT), Finding("gaps", "Load.", 0, SILENT.clear()))
    *columns, examples = rows_of(findings).get_columns()
    assert pl.DataFrame(columns).to_dict(as_series=False) == {
        "finding": ["silent_stores", "gaps"],
        "count": [12, 0],
        "meaning": ["Nothing is known.", "Load."],
    }
    assert examples.name == "examples"
    assert [json.loads(text) for text in examples] == [
        [{"store_id": 'a"b', "last_polled_at": "2024-10-14T12:00:00.000000Z", "unknown_us": 60_000_000}],
        [],
    ]


def test_no_findings_have_columns_too() -> None:
    assert rows_of(()).schema == {"finding": pl.String, "count": pl.Int64, "meaning": pl.String, "examples": pl.String}
