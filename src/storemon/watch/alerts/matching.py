"""What a silence is meant to match, checked: what matches nothing is mostly a slip of the pen."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

from storemon.engine.chosen import chosen_stores
from storemon.engine.question import Question, require_one_of
from storemon.engine.tags import matching as having
from storemon.errors import EmptyLakeError, InputError
from storemon.lake.snapshot import Snapshot
from storemon.rules.rule import Rule, Severity
from storemon.rules.subjects import subjects_of
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.silences import OF_ALERT

LONGEST = 500
"""So many characters a condition can have on each side."""


def require_matching(
    matching: Mapping[str, str], snapshot: Snapshot, rules: Sequence[Rule], alerts: Alerts, *, names_rules: bool = True
) -> None:
    """Refuse conditions of a silence that match nothing that there is.

    Args:
        matching: the conditions.
        snapshot: the lake, whose tags and stores they can name.
        rules: those in force.
        alerts: what there was: rules and subjects that are gone may still have open ones.
        names_rules: whether a mistake in the name of a rule may be told with those that there are, and subjects may
            be known by their alerts alone; not for who sees some stores only.

    Raises:
        InputError: one names no tag, no value that a store has, no rule, no severity, or nothing that a rule asks
            about; the text tells which, and the nearest there is.
        LakeError: the lake can't be read.

    """
    for name, value in matching.items():
        if not name or max(len(name), len(value)) > LONGEST or "\0" in name + value:
            raise InputError(
                f"a condition has a name and a value of up to {LONGEST} characters; write it like region=West"
            )
    tags = {name: value for name, value in matching.items() if name not in OF_ALERT}
    all_tags = snapshot.tags()
    known = all_tags["tag"].unique().sort().to_list()
    for name in tags:
        require_one_of(name, [*known, *OF_ALERT], "tag")
    for name, value in tags.items():
        having(snapshot.stores().select("store_id"), all_tags, {name: value})
    if "severity" in matching:
        require_one_of(matching["severity"], get_args(Severity), "severity")
    if "rule" in matching and not alerts.newest(1, state="open", rule=matching["rule"]):
        _require_rule(matching["rule"], rules, names_rules=names_rules)
    if "subject" in matching:
        _require_subject(matching["subject"], snapshot, rules, alerts if names_rules else None)


def _require_rule(name: str, rules: Sequence[Rule], *, names_rules: bool) -> None:
    names = [rule.name for rule in rules]
    if names_rules:
        require_one_of(name, names, "rule")
    elif name not in names:
        raise InputError(f"there is no rule {name!r}")


def _require_subject(subject: str, snapshot: Snapshot, rules: Sequence[Rule], alerts: Alerts | None) -> None:
    stores = snapshot.stores()
    if not stores.filter(store_id=subject).is_empty() or (alerts and alerts.newest(1, subject=subject)):
        return
    if any(subject in _groups(snapshot, rule) for rule in rules if rule.of_groups):
        return
    raise InputError(
        f"there is no store and no group {subject!r} that a rule asks about; a subject is the id of a store, or the "
        "tags of a group like region=West"
    )


def _groups(snapshot: Snapshot, rule: Rule) -> set[str]:
    try:
        stores = chosen_stores(snapshot, Question(datetime.now(UTC)))
        return set(subjects_of(snapshot, stores, rule).names["subject"])
    except (InputError, EmptyLakeError):  # of tags that no store has yet
        return set()
