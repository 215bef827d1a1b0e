"""What a rule says at an instant, by the page alone, with exact fractions; and the stretches in which it says so.

It *holds*, is *clear*, or says *neither*. Here one word more is used inside: *unknown*, where it says neither because
not enough is known; that is what makes an alert stale.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from .groups import Group
from .known import Facts, Store
from .service_time import MICROSECOND, Stretch, cut_at
from .week import sum_of

Kind = Literal["down", "silent", "below", "burn", "group"]
Value = Literal["holds", "clear", "neither"]
Said = Literal["holds", "clear", "neither", "unknown"]
Subject = str | Group
"""A store_id, or the values of the tags that a rule goes by."""


@dataclass(frozen=True)
class Rule:
    """Each kind uses some of these."""

    kind: Kind
    lasting: timedelta = timedelta(0)
    """D, of `down` and `silent`."""
    threshold: Fraction = Fraction(0)
    """X of `below`, F of `burn`."""
    recover: Fraction | None = None
    """The better threshold of `below` and `burn`, if one is named."""
    windows: tuple[timedelta, ...] = ()
    """One of `below`, the long and the short one of `burn`."""
    coverage: Fraction = Fraction(1, 2)
    target: Fraction = Fraction(0)
    count: int | None = None
    """k, of `group`."""
    share: Fraction | None = None
    """p, of `group`."""
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    recovery: timedelta = timedelta(0)

    @property
    def reach(self) -> timedelta:
        return max(self.windows, default=timedelta(0))


class Piece(NamedTuple):
    """`[starts, ends)`, and what the rule says at each of its instants."""

    starts: int
    ends: int
    said: Said


def group_of(facts: Facts, rule: Rule, store_id: str) -> Subject:
    """Where a rule of groups names no tags, all stores are one group."""
    return tuple(facts.tag(store_id, name) for name in rule.by) if rule.by or rule.kind == "group" else store_id


def members(facts: Facts, rule: Rule, subject: Subject) -> list[Store]:
    """The stores that a subject ever has: one, or those of a group."""
    return [
        store
        for store_id, store in facts.stores.items()
        if group_of(facts, rule, store_id) == subject
        and all(facts.tag(store_id, name) == value for name, value in rule.where.items())
    ]


def subjects(facts: Facts, rule: Rule) -> list[Subject]:
    found = {group_of(facts, rule, store_id) for store_id in facts.stores}
    return sorted((subject for subject in found if members(facts, rule, subject)), key=str)


Signs = tuple[bool, ...]
"""What a rule's kind asks at an instant, each a yes or a no."""


def signs_of_down(rule: Rule, stores: Sequence[Store], t: int) -> Signs:
    (store,) = stores
    state = store.state(t)
    if state == "unknown":
        return True, False
    return False, state == "inactive" and store.open_time(store.since(t), t) >= rule.lasting // MICROSECOND


def say_down(_: Rule, signs: Signs) -> Said:
    unknown, long_enough = signs
    return "unknown" if unknown else "holds" if long_enough else "clear"


def signs_of_silent(rule: Rule, stores: Sequence[Store], t: int) -> Signs:
    (store,) = stores
    return (store.open_time(store.last_polled(t), t) >= rule.lasting // MICROSECOND,)


def say_silent(_: Rule, signs: Signs) -> Said:
    return "holds" if signs[0] else "clear"


def signs_of_below(rule: Rule, stores: Sequence[Store], t: int) -> Signs:
    total = sum_of(store.figures(rule.windows[0], t) for store in stores)
    up, known = total.uptime_us, total.uptime_us + total.downtime_us
    recover = rule.threshold if rule.recover is None else rule.recover
    return (
        total.service_us > 0,
        known > 0 and known >= rule.coverage * total.service_us,
        up < rule.threshold * known,
        up >= recover * known,
    )


def say_below(_: Rule, signs: Signs) -> Said:
    has_service, enough, is_below, recovered = signs
    if not enough:
        return "unknown" if has_service else "neither"
    return "holds" if is_below else "clear" if recovered else "neither"


def signs_of_burn(rule: Rule, stores: Sequence[Store], t: int) -> Signs:
    signs: list[bool] = []
    for window in rule.windows:
        total = sum_of(store.figures(window, t) for store in stores)
        known = total.uptime_us + total.downtime_us
        # down / known / (1 - target) >= F, without a division by nothing
        at_rate_one = (1 - rule.target) * known
        recover = rule.threshold if rule.recover is None else rule.recover
        signs += [
            total.service_us > 0,
            known > 0,
            total.downtime_us >= rule.threshold * at_rate_one,
            total.downtime_us < recover * at_rate_one,
        ]
    return tuple(signs)


def say_burn(rule: Rule, signs: Signs) -> Said:
    windows = [signs[:4], signs[4:]]
    if not all(known for _, known, _, _ in windows):
        return "unknown" if any(has_service and not known for has_service, known, _, _ in windows) else "neither"
    if all(burns for _, _, burns, _ in windows):
        return "holds"
    return "clear" if rule.recover is None or any(recovered for *_, recovered in windows) else "neither"


def signs_of_group(rule: Rule, stores: Sequence[Store], t: int) -> Signs:
    states = [store.state(t) for store in stores if store.is_open(t)]
    down = states.count("inactive")
    return bool(states), down >= (rule.count or 0), down >= (rule.share or 0) * len(states)


def say_group(_: Rule, signs: Signs) -> Said:
    any_open, enough, share_enough = signs
    if not any_open:
        return "neither"
    return "holds" if enough and share_enough else "clear"


Asking = tuple[Callable[[Rule, Sequence[Store], int], Signs], Callable[[Rule, Signs], Said]]
KINDS: Mapping[Kind, Asking] = {
    "down": (signs_of_down, say_down),
    "silent": (signs_of_silent, say_silent),
    "below": (signs_of_below, say_below),
    "burn": (signs_of_burn, say_burn),
    "group": (signs_of_group, say_group),
}


def signs_at(facts: Facts, rule: Rule, subject: Subject, t: int) -> Signs | None:
    """Nothing, where there is no such subject as of `t`."""
    stores = [store for store in members(facts, rule, subject) if store.is_subject(t)]
    return KINDS[rule.kind][0](rule, stores, t) if stores else None


def said_at(facts: Facts, rule: Rule, subject: Subject, t: int) -> Said:
    signs = signs_at(facts, rule, subject, t)
    return "neither" if signs is None else KINDS[rule.kind][1](rule, signs)


def value_at(facts: Facts, rule: Rule, subject: Subject, t: int) -> Value:
    said = said_at(facts, rule, subject, t)
    return "neither" if said == "unknown" else said


def first_change(sign: Callable[[int], bool], piece: Stretch) -> int:
    """Where a sign that differs at both ends of a piece, and changes once between them, has changed."""
    before, after = piece[0], piece[1] - 1
    last = sign(after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if sign(middle) == last else (middle, after)
    return after


def changes_in(facts: Facts, rule: Rule, subject: Subject, piece: Stretch) -> list[int]:
    """Where signs change in a piece without turns: at most once each, for all that they compare is linear there."""

    def signs(t: int) -> Signs:
        return signs_at(facts, rule, subject, t) or ()

    first, middle, last = signs(piece[0]), signs((piece[0] + piece[1]) // 2), signs(piece[1] - 1)
    found = []
    for number, (earlier, between, later) in enumerate(zip(first, middle, last, strict=True)):
        if earlier != later:
            found.append(first_change(lambda t, number=number: signs(t)[number], piece))  # type: ignore[misc]
        else:
            assert between == earlier, (rule, subject, piece)
    return found


def stretches(facts: Facts, rule: Rule, subject: Subject, a: int, b: int) -> list[Piece]:
    """What a rule says in `[a, b)`, exact to the microsecond: in order, without gaps, none like the next."""
    turns = {turn for store in members(facts, rule, subject) for turn in store.turns}
    turns |= {turn + window // MICROSECOND for turn in turns for window in rule.windows}
    cuts = {a}
    for piece in cut_at((a, b), turns) if a < b else ():
        cuts |= {*piece, *changes_in(facts, rule, subject, piece)}
    found: list[Piece] = []
    for starts, ends in pairwise(sorted(cuts)):
        said = said_at(facts, rule, subject, starts)
        if found and found[-1].said == said:
            found[-1] = Piece(found[-1].starts, ends, said)
        else:
            found.append(Piece(starts, ends, said))
    return found
