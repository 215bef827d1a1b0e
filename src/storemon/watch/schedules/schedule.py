"""A schedule: what is asked, when, and to whom the answer goes."""

import re
import shlex
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from storemon.engine.question import require_one_of
from storemon.errors import InputError
from storemon.questions.kinds import KINDS, check, given
from storemon.questions.options import LONGEST, MOST_TEXTS, Facts, ReportQuestion, options_of, question_of
from storemon.questions.paper import check as check_document
from storemon.units.durations import parse_duration
from storemon.views.forms import WITH_DOCUMENT, Document, Form
from storemon.watch.channels.reading import Channels
from storemon.watch.schedules.cron import Cron

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a schedule can be called: it is part of the name of a file."""

_LONGEST_GRACE = timedelta(days=7)


class AskedQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question: which kind of answer, and its options as ``/v1`` calls them."""

    kind: Annotated[str, msgspec.Meta(examples=["report"])]
    options: Annotated[dict[str, Any], msgspec.Meta(examples=[{"window": ["last-week"], "group_by": ["region"]}])] = {}


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A schedule as it is kept and sent.

    Attributes:
        cron: five fields: minute, hour, day of the month, month, day of the week.
        zone: by whose clocks, an IANA name.
        to: names of channels, or addresses.
        question: what is asked.
        form: of the file.
        grace: for how long the polls of the window are waited for, ``0`` for not at all.

    """

    cron: Annotated[str, msgspec.Meta(max_length=200, examples=["0 7 * * MON"])]
    zone: Annotated[str, msgspec.Meta(max_length=100, examples=["America/Chicago"])]
    to: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_TEXTS, examples=[["mail:ops@example.org"]])]
    question: Annotated[
        AskedQuestion,
        msgspec.Meta(examples=[{"kind": "report", "options": {"window": ["last-week"], "group_by": ["region"]}}]),
    ]
    form: Annotated[str, msgspec.Meta(max_length=20, examples=["csv"])] = "csv"
    grace: Annotated[str, msgspec.Meta(max_length=50, examples=["2h"])] = "2h"

    def checked(self, channels: Channels) -> "Schedule":
        """Refuse what can't be understood; write the rest as simply as it can be.

        Args:
            channels: those that recipients can be, beside bare addresses.

        Raises:
            InputError: something can't be understood; the text says what may have been meant.

        """
        asked = self.asked()
        check(self.question.kind, asked)
        require_one_of(self.form, WITH_DOCUMENT, "form")
        if self.form == "pdf":
            if not isinstance(asked, ReportQuestion):
                raise InputError("only a report is written as PDF; choose another form, or ask for a report")
            check_document(asked)
        grace = self.grace_time()
        if grace > _LONGEST_GRACE:
            raise InputError(f"the grace is {self.grace}; it can be 7d at the most")
        to = list(dict.fromkeys(each.strip() for each in self.to))
        if not 1 <= len(to) <= MOST_TEXTS:
            raise InputError(f"a schedule needs somebody to send to, like mail:ops@example.org, up to {MOST_TEXTS}")
        for each in to:
            if len(each) > LONGEST:
                raise InputError(f"a recipient has {len(each):,} characters; it can have {LONGEST:,} at the most")
            channels.get(each)
        return msgspec.structs.replace(
            self, cron=self.ticks().text, to=to, question=AskedQuestion(self.question.kind, given(asked))
        )

    def ticks(self) -> Cron:
        """Read when it is due.

        Raises:
            InputError: the expression or the zone can't be understood.

        """
        return Cron(self.cron, self.zone)

    def asked(self, at: datetime | None = None) -> Facts:
        """Read what is asked, as of an instant.

        Raises:
            InputError: it can't be understood.

        """
        require_one_of(self.question.kind, [*KINDS], "answer")
        question = question_of(KINDS[self.question.kind].question, self.question.options)
        if question.as_of is not None:
            raise InputError("the now of a schedule's answer is that of its tick; leave out --as-of")
        return question if at is None else replace(question, as_of=at.isoformat())

    def grace_time(self) -> timedelta:
        """Read for how long polls are waited for.

        Raises:
            InputError: it is no length of time.

        """
        try:
            return timedelta() if self.grace.strip() == "0" else parse_duration(self.grace)
        except InputError as error:
            raise InputError(f"grace={self.grace}: {error}") from error

    def written_form(self) -> Form | Document:
        """Name the form of the file."""
        return next(form for form in WITH_DOCUMENT if form == self.form)

    def words(self) -> str:
        """Write the question as a command of its own would be."""
        words = [self.question.kind]
        several = {option.name for option in options_of(KINDS[self.question.kind].question) if option.kind is tuple}
        for name, value in self.question.options.items():
            flag = f"--{name.replace('_', '-')}"
            if isinstance(value, bool):
                words += [flag] if value else []
                continue
            for each in value if name in several and isinstance(value, list) else [value]:
                words += [flag, str(each)]
        return shlex.join(words)


def require_name(name: str) -> None:
    """Refuse what a schedule can't be called.

    Raises:
        InputError: it has other signs than letters of English, digits, ``.``, ``_`` and ``-``, or too many.

    """
    if not re.fullmatch(NAME.strip("^$"), name, re.ASCII):
        raise InputError(
            f"a schedule can't be called {name[:120]!r}; take up to 100 of the letters a to z, digits, . _ and -, and "
            "begin with a letter or a digit"
        )


def read_schedule(written: object) -> Schedule:
    """Read a schedule as it is kept.

    Raises:
        InputError: a newer storemon wrote it, or somebody else.

    """
    try:
        return msgspec.convert(written, Schedule)
    except msgspec.ValidationError as error:
        raise InputError(f"the schedule can't be read: {error}; write it anew with: storemon schedules add") from error
