"""What must hold of a week once it is over, and its figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import select

from storemon.answers.alerts import alerts
from storemon.calendar.windows import Absolute, Window
from storemon.lake.kept import KeptLake
from storemon.records.tables import ALERTS, EVENTS, NOTICES
from storemon.rules.file import read_file
from storemon.units.instants import EPOCH, microseconds
from storemon.watch.alerts.kept import Kept
from storemon.watch.outbox import Notice
from tests.faults.week.place import BEHIND, CARRIED, Place

Row = tuple[str, str, int, int | None, bool]
_MICROSECOND = timedelta(microseconds=1)
_UNLIKE_OTHERS = {"silenced", "listed", "muted", "flapping", "dropped"}
"""What happens to alerts that are not told as usual."""
_TELLINGS = {"told", "repeated", "escalated", "told over"}


class Week:
    """What the records hold, and what was received."""

    def __init__(self, place: Place) -> None:
        self._place = place
        with place.records.connect() as connection:
            read = connection.execute(select(ALERTS).order_by(ALERTS.c.fired_at)).mappings().all()
            self.alerts = {row["id"]: Kept(**row) for row in read}
            self.notices = [Notice(**row) for row in connection.execute(select(NOTICES)).mappings()]
            self.events = [tuple(row) for row in connection.execute(select(EVENTS).order_by(EVENTS.c.id))]
        self.receipts = [*place.hook.receipts, *place.mails.receipts]
        self.happened: dict[str, list[str]] = defaultdict(list)
        for _, alert, _, what, *_ in self.events:
            self.happened[alert].append(what)

    def hold_all(self) -> None:
        """Check what is promised."""
        self._alerts_are_those_of_a_replay()
        self._every_notice_arrived()
        self._nothing_else_was_told()
        self._each_alert_was_told_once_and_its_end_too()
        self._events_are_in_order_and_never_changed()

    def figures(self) -> dict[str, str]:
        """Tell what a week came to."""
        had = Counter((receipt.channel, receipt.notice) for receipt in self.receipts)
        kills = ", ".join(f"{count} times {what}" for what, count in sorted(self._place.kills.items()))
        fails = ", ".join(f"{count} times {how}" for how, count in sorted(self._place.hook.fails.items()))
        return {
            "simulated": f"{self._place.fleet.seconds / 60:.1f} hours, {len(self._place.fleet.stores)} stores",
            "polls": f"{len(self._place.poller.polls):,}",
            "of these late": _counted(store for store, instants in self._place.late.items() for _ in instants),
            "killed": kills,
            "alerts": _counted(alert.rule for alert in self.alerts.values()),
            "still open": _counted(alert.rule for alert in self.alerts.values() if alert.closed_at is None),
            "not told as usual": _counted(
                what for some in self.happened.values() for what in set(some) & _UNLIKE_OTHERS
            ),
            "notices": _counted(notice.kind for notice in self.notices),
            "by channel": _counted(notice.channel for notice in self.notices),
            "attempts": f"{sum(notice.attempts for notice in self.notices):,}",
            "the webhook's answers": fails,
            "received": f"{len(self.receipts):,}, of these again: {len(self.receipts) - len(had):,}",
            "webhooks that told of an end before its beginning": f"{self._overtaken():,}",
            **{f"from the beginning to the receipt, by {way}": self._latency(way) for way in ("ops", "hook")},
        }

    def _latency(self, channel: str) -> str:
        """Tell how long it took until a channel first heard of alerts that were told as usual, and what of that."""
        first: dict[str, int] = {}
        for receipt in self.receipts:
            first[receipt.notice] = min(receipt.at_us, first.get(receipt.notice, receipt.at_us))
        told = [
            (first[notice.id], self.alerts[one])
            for notice in self.notices
            if notice.kind == "fired" and notice.channel == channel and notice.id in first
            for one in notice.alerts
            if not _UNLIKE_OTHERS.intersection(self.happened[one])
        ]
        whole = _quantiles([(at - alert.fired_at) / 1e6 for at, alert in told])
        found = _quantiles([(at - alert.found_at) / 1e6 for at, alert in told])
        return f"{whole}; since the look, {BEHIND.seconds} s behind: {found}"

    def _overtaken(self) -> int:
        """Count the alerts of which a channel heard of the end first: what failed is sent again after a pause."""
        begun, ended = (
            {
                (receipt.channel, told["id"]): receipt.at_us
                for receipt in reversed(self.receipts)
                if receipt.kind == kind
                for told in receipt.alerts
            }
            for kind in ("fired", "resolved")
        )
        return sum(at < begun.get(place, at) for place, at in ended.items())

    def _alerts_are_those_of_a_replay(self) -> None:
        """Ask the final lake the same, and find the same to the microsecond; but for subjects whose polls were late."""
        place, until = self._place, self._place.looked_at()
        assert until is not None
        since, ends_at = (EPOCH + instant * _MICROSECOND for instant in (place.since, until))
        window = Window("week", Absolute(since, ends_at))
        lake = KeptLake(place.settings.lake)
        told = alerts(lake, read_file(place.rules).rules, windows=[window], as_of=ends_at, carry_limit=CARRIED)
        replayed = {_row(*row) for row in told.select(_COLUMNS).iter_rows()}
        recorded = {
            (one.rule, one.subject, one.fired_at, one.resolved_at, one.stale and one.resolved_at is None)
            for one in self.alerts.values()
        }
        regions = {store.name: f"region={store.region}" for store in place.fleet.stores}
        late = {*place.late, *(regions[store] for store in place.late)}
        differing = [(row, row in recorded) for row in recorded ^ replayed if row[1] not in late]
        assert not differing, f"in the records, or else in the replay only: {sorted(differing, key=str)}"
        assert len(recorded & replayed) > len(recorded) / 2

    def _every_notice_arrived(self) -> None:
        unsent = [notice for notice in self.notices if notice.state != "sent"]
        assert not unsent, unsent
        had = {(receipt.channel, receipt.notice) for receipt in self.receipts}
        missing = [one for one in self.notices if one.channel != "am" and (one.channel, one.id) not in had]
        assert not missing, missing
        assert not self._place.hook.unsigned

    def _nothing_else_was_told(self) -> None:
        """Find each receipt and each alert in it in the records."""
        known = {(notice.channel, notice.id): notice for notice in self.notices}
        for receipt in self.receipts:
            notice = known[receipt.channel, receipt.notice]
            if receipt.kind != "digest":
                assert receipt.kind in ("", notice.kind)
            for told in receipt.alerts:
                alert = self.alerts[told["id"]]
                fired_at = microseconds(datetime.fromisoformat(told["fired_at"]))
                assert (told["rule"], told["subject"], fired_at) == (alert.rule, alert.subject, alert.fired_at)
                if told["resolved_at"] is not None:
                    assert microseconds(datetime.fromisoformat(told["resolved_at"])) == alert.resolved_at
        told_there = {alert for notice in self.notices if notice.channel == "am" for alert in notice.alerts}
        there = {(one.rule, one.subject, one.fired_at // 1000) for one in map(self.alerts.__getitem__, told_there)}
        near = {(rule, subject, at + shift) for rule, subject, at in there for shift in (0, 1)}
        assert self._place.held <= near, self._place.held - near

    def _each_alert_was_told_once_and_its_end_too(self) -> None:
        told: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for notice in self.notices:
            for alert in notice.alerts:
                told[alert, notice.kind][notice.channel] += 1
        channels = {rule.name: rule.channels for rule in read_file(self._place.rules).rules}
        usual = 0
        for one in self.alerts.values():
            if one.closed_at is None or _UNLIKE_OTHERS.intersection(self.happened[one.id]):
                continue
            usual += bool(channels[one.rule])
            begun, ended = told[one.id, "fired"], told[one.id, "resolved"]
            assert begun == Counter(channels[one.rule]), one
            assert ended == Counter([*begun, *(told[one.id, "escalated"].keys() - begun.keys())]), one
        assert usual

    def _events_are_in_order_and_never_changed(self) -> None:
        assert self.events == self._place.events
        for alert, happened in self.happened.items():
            assert happened[0] == "fired", happened
            assert happened.count("fired") == 1, happened
            over = self.alerts[alert].closed_at is not None
            assert happened.count("resolved") == over, happened
            if over:
                after = happened[happened.index("resolved") + 1 :]
                assert set(after) <= _UNLIKE_OTHERS | {"told", "escalated", "told over"}, happened
            if "told over" in happened:
                first = happened.index("told over")
                assert happened.index("told") < first > happened.index("resolved"), happened
                assert set(happened[first:]) == {"told over"}, happened
        for _, alert, at, what, *_ in self.events:
            if what in _TELLINGS:
                assert at >= self.alerts[alert].found_at


_COLUMNS = [
    "rule",
    "subject",
    pl.col("fired_at", "resolved_at").to_physical(),
    pl.col("stale") & pl.col("resolved_at").is_null(),
]


def _row(*values: Any) -> Row:
    rule, subject, fired_at, resolved_at, stale = values
    return rule, subject, fired_at, resolved_at, stale


def _counted(things: Iterable[str]) -> str:
    counts = Counter(things)
    parts = ", ".join(f"{what} {count:,}" for what, count in sorted(counts.items()))
    return f"{counts.total():,}" + (f" ({parts})" if parts else "")


def _quantiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    return ", ".join(f"p{q} {ordered[min(len(ordered) - 1, len(ordered) * q // 100)]:.1f} s" for q in (50, 99))
