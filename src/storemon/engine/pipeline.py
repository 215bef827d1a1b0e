"""The SQL steps, and the chains of them that give answers."""

from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

POLLS = {
    "carry": ("last_polls", "carry/believed_polls"),
    "nearest": ("last_polls", "observed_polls"),
    "certain": ("last_polls", "observed_polls"),
}
"""The steps to the polls that decide the states, by policy."""

CHANGES = {
    "carry": ("carry/turns", "carry/changes"),
    "nearest": ("nearest/changes",),
    "certain": ("certain/changes",),
}
"""The steps from there to the changes of state; ``certain`` holds true only what two polls prove: the bounds."""

STATES = {policy: (*POLLS[policy], *CHANGES[policy]) for policy in POLLS}
"""The steps to the changes of state, by policy."""

HOUR_OF_WEEK = ("week/pieces", "week/local_pieces", "week/edges", "week/cells")
"""The steps from the changes of state to where one hour of the week differs from the next."""

HEARD = ("silent/heard",)
"""The step that tells when stores were polled, as far as silences show."""

LOOK_BACK = ("outages/polls_within",)
"""The step before all of them when a few stores are looked at long before their windows."""


def name_of(step: str) -> str:
    """Tell under which name the steps after it read a step."""
    return PurePosixPath(step).name


@cache
def step(name: str) -> str:
    """Read one step: a plain SELECT under a header that tells its row, what it reads, and the units."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8").rstrip()


def statement(steps: tuple[str, ...]) -> str:
    """Compose steps into one statement: each a CTE under the last part of its name, the last one the body."""
    *ctes, last = steps
    body = step(last)
    if ctes and "\nWITH " in body:  # which a body can't hold behind other CTEs
        ctes, body = [*steps], f"FROM {name_of(last)}"
    chain = ",\n".join(f"{name_of(name)} AS (\n{_indented(step(name))}\n)" for name in ctes)
    return f"WITH {chain}\n{body}" if ctes else body


def _indented(sql: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in sql.splitlines())
