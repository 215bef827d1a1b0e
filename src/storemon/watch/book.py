"""The rules and channels in force: those of the file, and the rules that were sent."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Engine, delete, insert, select

from storemon.engine.question import require_one_of
from storemon.errors import FileError, InputError
from storemon.records.database import alone, now
from storemon.records.tables import RULES
from storemon.rules.file import File, channels_of, read_file, read_rule
from storemon.rules.rule import Rule
from storemon.settings import Settings
from storemon.watch.channels.channel import Channel
from storemon.watch.channels.reading import Channels
from storemon.watch.texts import require_templates

MOST = 1_000
"""Rules that can be sent."""

_rule = RULES.c
_log = structlog.stdlib.get_logger("storemon.rules")


class InForce(NamedTuple):
    """The rules in force."""

    rules: tuple[Rule, ...]
    of_file: frozenset[str]
    """The names of those that the file holds, and nobody can change but there."""
    channels: Channels


class Book:
    """The rules and the channels, read anew when the file has changed. Safe from any thread."""

    def __init__(self, settings: Settings, records: Engine) -> None:
        self._place, self._records = settings.rules, records
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int] | None, File, Channels] | None = None
        self._trouble = ""

    def in_force(self) -> InForce:
        """Read the rules. When the file can't be read any more, what it was last stays in force, and the log says so.

        Raises:
            InputError: the file can't be read, and never was.

        """
        with self._lock:
            file, channels = self._file()
        named = {rule.name for rule in file.rules}
        sent = []
        with self._records.connect() as connection:
            written = connection.execute(select(_rule.name, _rule.written).order_by(_rule.name)).all()
        for name, parts in written:
            if name in named:
                continue  # the file's own comes first
            try:
                sent.append(read_rule(parts))
            except InputError as error:  # written by a newer storemon
                _log.error("rule can't be read", rule=name, reason=str(error))
        return InForce((*file.rules, *sent), frozenset(named), channels)

    def channel(self, name: str) -> Channel:
        """Give a channel by its name, or a bare address.

        Raises:
            InputError: there is none, or the file can't be read.

        """
        with self._lock:
            return self._file()[1].get(name)

    def put(self, name: str, written: Mapping[str, Any], author: str) -> bool:
        """Keep a rule that was sent, in the place of another one of its name. Tell whether there was none.

        Raises:
            InputError: it can't be understood, names a channel that is not there, or is one of the file's.

        """
        if written.get("name", name) != name:
            raise InputError(f"the rule calls itself {written['name']!r}, and is sent as {name!r}; name it once")
        rule, there = read_rule({**written, "name": name}), self.in_force()
        if name in there.of_file:
            raise InputError(f"the rule {name!r} is in {self._place}; change it there")
        for channel in channels_of(rule):
            require_one_of(channel, sorted(there.channels.named), "channel")
        require_templates({"title": rule.title, "text": rule.text})
        with alone(self._records, "rules") as connection:
            known = connection.execute(delete(RULES).where(_rule.name == name)).rowcount
            if not known and len(connection.execute(select(_rule.name)).all()) >= MOST:
                raise InputError(f"there are {MOST:,} rules already; write more into a file, or delete some")
            row = {"name": name, "written": {**written, "name": name}, "author": author}
            connection.execute(insert(RULES).values(**row, written_at=now()))
        return not known

    def remove(self, name: str) -> bool:
        """Forget a rule that was sent; its open alerts are closed by the next look. Tell whether there was one.

        Raises:
            InputError: it is one of the file's.

        """
        if name in self.in_force().of_file:
            raise InputError(f"the rule {name!r} is in {self._place}; remove it there")
        with self._records.connect() as connection:
            return bool(connection.execute(delete(RULES).where(_rule.name == name)).rowcount)

    def _file(self) -> tuple[File, Channels]:
        """Read the file, if it is another one than it was."""
        mark = _mark(self._place)
        if self._read is not None and self._read[0] == mark:
            self._is_over()
            return self._read[1:]
        try:
            file, channels = self._whole(mark)
        except (InputError, FileError) as error:
            if self._read is None:
                raise
            if self._trouble != str(error):
                _log.error("rules not read anew: those of before stay in force", reason=str(error))
            self._trouble = str(error)
            return self._read[1:]
        self._is_over()
        self._read = mark, file, channels
        return file, channels

    def _is_over(self) -> None:
        if self._trouble:
            _log.info("rules read again")
        self._trouble = ""

    def _whole(self, mark: tuple[int, int] | None) -> tuple[File, Channels]:
        """Read the file. Where there never was one, there are no rules; one that is gone was hardly meant to be."""
        if mark:
            return read_whole(self._place)
        if self._read is None or self._read[0] is None:
            return File([], {}), Channels({})
        raise FileError(f"{self._place}: it is gone, or can't be reached; to have no rules, leave it there empty")


def read_whole(place: Path) -> tuple[File, Channels]:
    """Read a file of rules with all that is in it: the channels, and the templates of notices.

    Raises:
        InputError: something in it can't be understood; the text tells all mistakes of the first kind that there is.

    """
    file = read_file(place)
    channels, wrong = Channels(file.channels), []
    for rule in file.rules:
        try:
            require_templates({"title": rule.title, "text": rule.text})
        except InputError as error:
            wrong.append(f"{place}: rule {rule.name!r}: {error}")
    if wrong:
        raise InputError("\n".join(wrong))
    return file, channels


def _mark(place: Path) -> tuple[int, int] | None:
    """Tell one state of a file from the next, None if there is none."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
