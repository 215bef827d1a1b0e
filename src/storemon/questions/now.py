"""What is true now, asked in words."""

import polars as pl

from storemon.answers.now import now
from storemon.lake.snapshot import Snapshot
from storemon.questions.about import facts
from storemon.questions.options import Means, NowQuestion
from storemon.views.answer import Answer, Worst, legend_of_now

_COLUMNS = ("store_id", "state", "is_open", "since", "open_time", "last_polled_at", "last_active_at", "next_change_at")
_DOWN_FIRST = Worst(
    "open_time",
    "most",
    kinds=pl.when(pl.col("is_open"))
    .then(pl.col("state").replace_strict({"inactive": 0, "unknown": 1, "active": 2}))
    .otherwise(3),
    words="open and down the longest",
)


def answer(question: NowQuestion, snapshot: Snapshot, means: Means) -> Answer:
    """Tell the state of each store, or count the open stores of each group by their state.

    Raises:
        StoremonError: as for `storemon.answers.now.now`.

    """
    at = question.now(snapshot)
    tags = question.tags()
    frame = now(snapshot, group_by=tags, **question.asked(at, (), means))
    said = facts(question, at, means)
    if tags is not None:
        return Answer([frame], {}, "groups", at, Worst("open_inactive", "most", ("open_unknown",)), facts=said)
    return Answer([frame], legend_of_now(), "stores", at, _DOWN_FIRST, columns=_COLUMNS, facts=said)
