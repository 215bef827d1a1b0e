"""What is known of each store at an instant *t*: its polls at or before *t*, and what they say of the time before.

Nothing after *t* is looked at, but for the schedule, which says what it says at any time.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property

from .cases import Case
from .exceptions import Exceptions, meant_for, service_and_excluded
from .measured import Figures, overlap
from .questions import Tags, tag_of
from .service_time import MICROSECOND, Stretch, instant, length_of, micros, union
from .states import Told, pieces, state, tell

HeldStretch = tuple[int, int, str]
"""`[starts, ends)` and what is held true of it."""

MARGIN = timedelta(days=1) // MICROSECOND


def spells_of(told: Told, limit: int) -> list[HeldStretch]:
    """Under the policy `carry`, from where the first poll reaches back to, to where the last one lapses."""
    spells: list[HeldStretch] = []
    for starts, ends in pieces(told, (told[0][0] - limit, told[-1][0] + limit), limit):
        held = state(told, starts, limit, "carry")
        if spells and spells[-1][2] == held:
            spells[-1] = (spells[-1][0], ends, held)
        else:
            spells.append((starts, ends, held))
    return spells


class Store:
    """One store's facts. What is asked of it with a `t` is asked of the facts with as-of `t` alone."""

    def __init__(self, case: Case, store_id: str, ends: int, reach: int) -> None:
        self.told = tell((poll for poll in case.polls if poll[0] == store_id), None)
        self.limit = case.carry_limit // MICROSECOND
        self.first_polled = self.told[0][0]
        span = self.first_polled - max(reach, self.limit) - MARGIN, ends + MARGIN
        exceptions = Exceptions(
            special_hours=[row for row in case.special_hours if meant_for(row[0], store_id)],
            maintenance=[row for row in case.maintenance if meant_for(row[0], store_id)],
        )
        hours = [row for row in case.hours if row[0] == store_id]
        window = instant(span[0]), instant(max(span))
        self.open = service_and_excluded(hours, case.zones.get(store_id), window, None, **exceptions)[0]
        self._by_polls: dict[int, tuple[list[HeldStretch], list[HeldStretch]]] = {}

    def known(self, t: int) -> Told:
        return [poll for poll in self.told if poll[0] <= t]

    def is_subject(self, t: int) -> bool:
        return self.first_polled <= t

    def _spells(self, t: int) -> tuple[list[HeldStretch], list[HeldStretch]]:
        """As of `t`, the spells, and the open time in each. They are the same until the next poll."""
        known = self.known(t)
        if len(known) not in self._by_polls:
            spells = spells_of(known, self.limit)
            held = [
                (max(starts, opens), min(ends, closes), what)
                for starts, ends, what in spells
                for opens, closes in self.open
            ]
            self._by_polls[len(known)] = spells, [piece for piece in held if piece[0] < piece[1]]
        return self._by_polls[len(known)]

    def state(self, t: int) -> str:
        return state(self.known(t), t, self.limit, "carry")

    def since(self, t: int) -> int:
        """Where the spell starts that contains `t`, which is not unknown since ever."""
        after_all = (self.known(t)[-1][0] + self.limit, t + 1, "unknown")
        return next(starts for starts, ends, _ in [*self._spells(t)[0], after_all] if starts <= t < ends)

    def last_polled(self, t: int) -> int:
        return self.known(t)[-1][0]

    def is_open(self, t: int) -> bool:
        return any(opens <= t < closes for opens, closes in self.open)

    def open_time(self, starts: int, ends: int) -> int:
        return sum(overlap((starts, ends), stretch) for stretch in self.open)

    def figures(self, window: timedelta, t: int) -> Figures:
        """Of `[t - window, t)`."""
        stretch = t - window // MICROSECOND, t
        total = {"active": 0, "inactive": 0, "unknown": 0}
        for starts, ends, what in self._spells(t)[1]:
            total[what] += overlap(stretch, (starts, ends))
        up, down, service = total["active"], total["inactive"], self.open_time(*stretch)
        return Figures(up, down, service - up - down, service)

    @cached_property
    def turns(self) -> set[int]:
        """Every instant at which the store opens or closes, or at which its state may change."""
        polls = [poll for poll, _ in self.told]
        lapses = {at for poll in polls for at in (poll - self.limit, poll, poll + self.limit)}
        return lapses | {edge for stretch in self.open for edge in stretch}


class Facts:
    """Of all stores of a case, with its polls before `ends`; no rule's window is longer than `reach`."""

    def __init__(self, case: Case, ends: int, reach: timedelta = timedelta(0)) -> None:
        store_ids = sorted({poll[0] for poll in case.polls if micros(poll[2]) <= ends}, key=str.encode)
        self.tags: Tags = case.tags
        self.ends = ends
        self.stores: Mapping[str, Store] = {
            store_id: Store(case, store_id, ends, reach // MICROSECOND) for store_id in store_ids
        }

    def tag(self, store_id: str, name: str) -> str:
        return tag_of(store_id, self.tags, name)


def open_time_of_any(stores: Iterable[Store], starts: int, ends: int) -> int:
    """How long at least one of the stores was open, each from its first poll on."""
    stretches: list[Stretch] = []
    for store in stores:
        from_then = max(starts, store.first_polled)
        stretches += [(max(opens, from_then), min(closes, ends)) for opens, closes in store.open]
    return length_of(union(stretch for stretch in stretches if stretch[0] < stretch[1]))
