"""The worked example of the page on explanations, made of the files that the page shows."""

import re
from io import StringIO
from pathlib import Path

import polars as pl

from storemon import Frames, explain
from storemon.answers.explanation.parts import Explanation

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE, PICTURE = DOCS / "explain.md", DOCS / "explain.svg"
FILES = {
    "store_status": "polls",
    "menu_hours": "hours",
    "timezones": "zones",
    "special_hours": "special_hours",
    "maintenance": "maintenance",
}


def explanation_of_page() -> Explanation:
    shown = re.findall(r"^`(\w+)\.csv`\n\n```csv\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    facts = {FILES[name]: pl.read_csv(StringIO(text), infer_schema=False) for name, text in shown}
    return explain(Frames(**facts), "bakery", windows=["2024-10-14"], carry_limit="3h")
