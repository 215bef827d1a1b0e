"""Runs: stretches of polls of one store that agree, none of them more than a day after the one before.

The latest ones of each store, back to the last that says otherwise than the newest, tell what is true now and since
when, however long ago that began. They follow from the polls alone. That they need not be looked for in months of
history each time, they are kept in a table of their own, with what they were made of; what has come since is added to
them when they are read, and looked for anew where it lies between them.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import polars as pl

from storemon.errors import ConflictError, LakeError
from storemon.lake.decisive import DAY, needed, told_by_decisive
from storemon.lake.polls import AT_ONCE, IDENTITY, read_roster
from storemon.lake.schemas import LATEST_RUNS, POLLS
from storemon.lake.tables import Opened, Tables

RUN = ["store_key", "starts_at", "ends_at", "active"]
_FIRST_LOOK, _FURTHER = timedelta(days=2), 8
"""How far is looked back first, and how many times as far each time after that."""
_SHARE = 8  # the polls since may be so many times fewer than the runs, before those are written anew
_MOST_FILES = 32  # in which they may be
_LOOKS = 3  # versions that are looked at: the newest may be of polls that came after those that are asked about


def as_runs(polls: pl.DataFrame) -> pl.DataFrame:
    """Make a run of each instant at which a store was polled: ``store_key, starts_at, ends_at, active``, in order.

    Args:
        polls: ``store_key, polled_at, active``, in any order, with repeats. Of those at one instant an inactive one
            counts: an outage is never hidden.

    """
    ordered = polls.sort(IDENTITY)
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("store_key", "polled_at"))
    return ordered.filter(is_first).select("store_key", starts_at="polled_at", ends_at="polled_at", active="active")


def joined(runs: pl.DataFrame, apart: timedelta = DAY) -> pl.DataFrame:
    """Join the runs of each store that agree and follow one another within ``apart``; both in order."""
    begins = pl.any_horizontal(
        pl.col("store_key").ne_missing(pl.col("store_key").shift()),
        pl.col("active").ne_missing(pl.col("active").shift()),
        pl.col("starts_at") - pl.col("ends_at").shift() > apart,
    )
    marked = runs.with_columns(begins=begins)
    first = marked.filter("begins").select("store_key", "starts_at")
    last = marked.filter(pl.col("begins").shift(-1, fill_value=True)).select("ends_at", "active")
    return pl.concat([first, last], how="horizontal").select(RUN)


def latest(runs: pl.DataFrame) -> pl.DataFrame:
    """Pick the runs of each store, in order, from the last one on that says otherwise than its newest."""
    differs = pl.col("active") != pl.col("active").last().over("store_key")
    to_come = differs.cast(pl.Int32).cum_sum(reverse=True).over("store_key")
    return runs.filter((to_come == 0) | (differs & (to_come == 1)))


def find_runs(
    polls: Opened, *, until: datetime | None = None, apart: timedelta = DAY, keys: pl.Series | None = None
) -> pl.DataFrame:
    """Find the latest runs in the polls, however far they reach back.

    Args:
        polls: the table.
        until: polls after this instant do not count; by default all do.
        apart: what the polls of a run may be apart, a day at the most.
        keys: the stores; by default all.

    Returns:
        ``store_key, starts_at, ends_at, active``, in order; of the first run of a store only the end is told for sure.

    Raises:
        LakeError: a file is lost or damaged.

    """
    files = _needed(polls, until, apart)
    keys = (read_roster(polls)["store_key"] if keys is None else keys).sort()
    number = max(1, -(-sum(files.filter(_since(files, _FIRST_LOOK))["rows"]) // AT_ONCE))
    some = keys.to_frame().iter_slices(max(1, -(-len(keys) // number)))
    found = (_look_back(polls, files, until, apart, part["store_key"]) for part in some)
    return pl.concat([_no_runs(), *found]).sort("store_key", "starts_at", maintain_order=True)


def _no_runs() -> pl.DataFrame:
    return pl.DataFrame(schema={name: LATEST_RUNS.schema[name] for name in RUN})


def _needed(polls: Opened, until: datetime | None, apart: timedelta) -> pl.DataFrame:
    """Pick the files without which the runs could not be told: mostly those of decisive polls."""
    files = polls.files.drop_nulls("polled_on")
    if until is not None:
        files = files.filter(pl.col("polled_on") <= until.date())
    if apart < DAY:
        return files
    return files.with_columns(told_by_decisive=told_by_decisive(files)).filter(needed(until and until.date()))


def _since(files: pl.DataFrame, back: timedelta) -> pl.Expr:
    newest: date | None = files["polled_on"].max()  # type: ignore[assignment]
    if newest is None or back > newest - date.min:
        return pl.lit(True)
    return pl.col("polled_on") > newest - back


def _look_back(
    polls: Opened, files: pl.DataFrame, until: datetime | None, apart: timedelta, keys: pl.Series
) -> pl.DataFrame:
    """Look at the last days, then for the stores of which they do not tell all, further and further back."""
    whole, runs, back = [], _no_runs(), _FIRST_LOOK
    while len(keys) and len(files):
        near = files.filter(_since(files, back))
        files = files.join(near, on="path", how="anti")
        runs = joined(pl.concat([as_runs(_read(polls, near, until, keys)), runs]).sort("store_key", "starts_at"), apart)
        told = runs.group_by("store_key").agg(pl.col("active").n_unique() > 1).filter("active")["store_key"]
        is_told = pl.col("store_key").is_in(told.implode())
        whole.append(runs.filter(is_told))
        runs, keys = runs.filter(~is_told), keys.filter(~keys.is_in(told.implode()))
        back *= _FURTHER
    return latest(pl.concat([*whole, runs]))


def _read(polls: Opened, files: pl.DataFrame, until: datetime | None, keys: pl.Series) -> pl.DataFrame:
    """Read the polls of some stores, their keys in order."""
    first, last = keys[0], keys[-1]
    within = files.filter(pl.col("min.store_key") <= last, pl.col("max.store_key") >= first)
    rows = polls.scan(within["path"].to_list()).filter(pl.col("store_key").is_between(first, last)).select(IDENTITY)
    if until is not None:
        rows = rows.filter(pl.col("polled_at") <= until)
    if last - first + 1 > len(keys):
        rows = rows.join(keys.to_frame().lazy(), on="store_key", how="semi")
    with polls.reading():
        return rows.collect()


def latest_runs(tables: Tables, polls: Opened) -> pl.DataFrame:
    """Read the latest runs of all stores as `find_runs` would find them: those that are kept, and what has come since.

    Args:
        tables: the lake's tables.
        polls: its polls, at some version.

    Raises:
        LakeError: a file is lost or damaged.

    """
    newest = tables.open(LATEST_RUNS)
    for version in range(newest.version, max(-1, newest.version - _LOOKS), -1):
        kept = newest if version == newest.version else Opened(LATEST_RUNS, polls.lake, version)
        if (base := _base(polls, kept)) is not None:
            runs, files = base
            return _brought_up(polls, runs, files) if len(files) else runs
    return find_runs(polls)


def keep_runs(tables: Tables) -> None:
    """Write the latest runs anew, if so much has come since that to add it each time would take long.

    Another process that does the same at this moment has its way.

    Raises:
        LakeError: the lake cannot be read or written.

    """
    kept, polls = tables.open(LATEST_RUNS), tables.open(POLLS)
    if polls.version < 0:
        return
    base = _base(polls, kept)
    if base is not None:
        runs, files = base
        if len(files) <= _MOST_FILES and sum(files["rows"]) * _SHARE <= len(runs):
            return
    runs = find_runs(polls) if base is None else _brought_up(polls, *base)
    made_of = {"polls_version": pl.lit(polls.version), "made_of": pl.lit(_names(polls))}
    rows = runs.with_columns(**made_of).select(LATEST_RUNS.schema.names()).cast(LATEST_RUNS.schema)
    try:
        tables.commit(kept, tables.write(kept, rows.iter_slices(AT_ONCE)), instead_of=kept.files)
    except ConflictError:
        return


def _base(polls: Opened, kept: Opened) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Read the runs that are kept, and list the files of polls that they do not know; None without any.

    Runs that were made of other polls than are here, or of some that were let go of since, are of no use.
    """
    try:
        rows = kept.read()
        version = -1 if rows.is_empty() else rows["polls_version"][0]
        if not 0 <= version <= polls.version:
            return None
        base = polls if version == polls.version else Opened(POLLS, polls.lake, version)
        if rows["made_of"][0] != _names(base):
            return None
    except LakeError:  # the log may begin later, or the files be gone: all can be found anew
        return None
    new = polls.files.join(base.files, on="path", how="anti")
    gone = base.files.join(polls.files, on="path", how="anti")
    if len(gone.filter(~pl.col("polled_on").is_in(new["polled_on"].implode())).drop_nulls("polled_on")):
        return None  # days were let go of; what else takes files away, merges them into others of their day
    return rows.select(RUN), new.drop_nulls("polled_on")


def _names(polls: Opened) -> str:
    """Tell by a hash what a table is made of: no two files ever have one name."""
    names = polls.files["path"].str.strip_prefix(f"{polls.place}/").sort()
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _brought_up(polls: Opened, runs: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Add the polls of some files to runs: at the end of a store's runs, or else by looking for its runs anew.

    Most files have polls that came after all others of their stores. Those that repeat what a run says change nothing,
    nor do those from before the run that says otherwise than the newest.
    """
    parts = []
    for keys in _ranges(runs, files):
        new = as_runs(_read(polls, files, None, keys))
        known = runs.filter(pl.col("store_key").is_between(keys[0], keys[-1]))
        first, last = (known.group_by("store_key", maintain_order=True).agg(pl.col(RUN[1:]).get(at)) for at in (0, -1))
        both = new.join(last.select("store_key", newest="ends_at", now="active"), on="store_key", how="left")
        both = both.join(first.select("store_key", oldest="starts_at", then="active"), on="store_key", how="left")
        found = both.join_asof(
            known.select("store_key", "starts_at", until="ends_at", status="active"),
            on="starts_at",
            by="store_key",
            check_sortedness=False,
        )
        is_later = (pl.col("starts_at") > pl.col("newest")).fill_null(value=True)  # a new store has none
        is_repeat = (pl.col("starts_at") <= pl.col("until")) & (pl.col("active") == pl.col("status"))
        is_before = (pl.col("starts_at") < pl.col("oldest")) & (pl.col("now") != pl.col("then"))
        between = found.filter(~is_later & ~is_repeat.fill_null(value=False) & ~is_before)["store_key"].unique()
        later = found.filter(is_later, ~pl.col("store_key").is_in(between.implode())).select(RUN)
        anew = find_runs(polls, keys=between) if len(between) else _no_runs()
        stays = known.filter(~pl.col("store_key").is_in(between.implode()))
        added = joined(pl.concat([stays, later]).sort("store_key", "starts_at"))
        parts.append(pl.concat([latest(added), anew]).sort("store_key", "starts_at"))
    return pl.concat([_no_runs(), *parts])


def _ranges(runs: pl.DataFrame, files: pl.DataFrame) -> Iterator[pl.Series]:
    """Cut all stores into ranges of about `AT_ONCE` polls of the files."""
    stores = pl.concat([runs["store_key"], files["max.store_key"]])
    keys = pl.DataFrame({"store_key": range(1 + max(stores, default=0))}, schema={"store_key": pl.Int32})
    number = max(1, -(-sum(files["rows"]) // AT_ONCE))
    for part in keys.iter_slices(-(-len(keys) // number)):
        yield part["store_key"]
