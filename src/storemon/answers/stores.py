"""The stores: their tags, their availability, and how well they meet a target."""

from fractions import Fraction
from typing import Unpack

import polars as pl

from storemon.answers.report import report
from storemon.calendar.windows import LAST_WEEK
from storemon.engine.question import Asked, ask
from storemon.engine.tags import with_tags
from storemon.errors import InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot


def stores(
    source: KeptLake | Snapshot, *, target: Fraction | str | None = None, **asked: Unpack[Asked]
) -> pl.DataFrame:
    """List the stores, by default with their availability in the last week.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        target: an availability in percent, as text like ``99.5``, or as a fraction.
        **asked: see `storemon.engine.question.Asked`.

    Returns:
        In order: ``store_id``; every tag there is, empty where the store lacks it; ``availability_*`` for each window,
        and with a target ``budget_*``, ``spent_*``, ``left_*`` and ``burn_rate_*``, as in the report.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known, or a tag has the name of a figure.
        LakeError: the lake can't be read.

    """
    asked.setdefault("windows", [LAST_WEEK])
    snapshot, _ = ask(source, **asked)
    figures = report(snapshot, measures=["availability"], target=target, **asked)
    tags = snapshot.tags()
    tagged = with_tags(figures.select("store_id"), tags, tags["tag"].unique(maintain_order=True).to_list())
    try:
        return tagged.hstack(figures.drop("store_id").get_columns())
    except pl.exceptions.DuplicateError as error:
        raise InputError(f"a tag and a figure have one name; name the window, like other=30d: {error}") from error
