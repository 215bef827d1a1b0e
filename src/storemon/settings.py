"""The settings: each with a name, a default and a line of help, read once and never changed."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NewType, Self, get_type_hints

import msgspec
from msgspec import Meta

from storemon.errors import InputError
from storemon.units.addresses import SQLITE, DatabaseAddress, masked, parse_database
from storemon.units.durations import format_duration, parse_duration
from storemon.units.keeping import Keeping, parse_keeping
from storemon.units.rates import NO_LIMIT, Rate, parse_rate
from storemon.units.sizes import HALF, parse_size
from storemon.units.workplaces import LOCAL, Workplace, parse_workplace

Memory = NewType("Memory", str)
"""A size as people write it."""


Size = NewType("Size", str)
"""The same, but no share of the machine's memory."""

_PREFIX = "STOREMON_"
NONE = "none"
"""What people write for no name at all."""

Name = NewType("Name", str)
"""A name; empty for none."""

Names = NewType("Names", tuple[str, ...])
"""Names, as people write them with commas between."""

Networks = NewType("Networks", tuple[str, ...])
"""Addresses and networks of hosts, written likewise."""


def _parse_memory(text: str) -> Memory:
    parse_size(text)
    return Memory(text)


def _parse_size(text: str) -> Size:
    if "%" in text:
        raise InputError(f"{text!r} is a share; write a size like 10MB")
    parse_size(text)
    return Size(text)


def _parse_rate(text: str) -> Rate:
    parse_rate(text)
    return Rate(text)


def _parse_name(text: str) -> Name:
    return Name("" if text.strip() == NONE else text)


def _parse_names(text: str) -> Names:
    return Names(tuple(name for part in text.split(",") if (name := part.strip()) and text.strip() != NONE))


def _parse_networks(text: str) -> Networks:
    for name in _parse_names(text):
        try:
            ip_network(name)
        except ValueError as error:
            raise InputError(f"{error}; write addresses and networks like 10.0.0.7,192.168.0.0/16") from error
    return Networks(_parse_names(text))


_PARSERS: Mapping[object, Callable[[str], object]] = {
    timedelta: parse_duration,
    Workplace: parse_workplace,
    Memory: _parse_memory,
    Keeping: parse_keeping,
    DatabaseAddress: parse_database,
    Size: _parse_size,
    Rate: _parse_rate,
    Name: _parse_name,
    Names: _parse_names,
    Networks: _parse_networks,
}
"""What reads the text of a setting of a type, where msgspec does not."""


class Described(NamedTuple):
    """One setting as people see it: its field's ``name``, its ``variable`` in the environment, both texts."""

    name: str
    variable: str
    default: str
    help: str

    @property
    def flag(self) -> str:
        """What it is called on the command line."""
        return f"--{self.name.replace('_', '-')}"


class InForce(NamedTuple):
    """What a setting is now, as text without secrets, and its source: the default, a variable, or a flag."""

    name: str
    text: str
    source: str


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What storemon runs with: the defaults, then the environment's ``STOREMON_*``, then flags, the last one wins."""

    lake: Annotated[str, Meta(min_length=1, description="Folder of the lake, or s3://bucket/path.")] = "parquet"
    data: Annotated[Path, Meta(description="Folder of the CSVs; what is ingested over HTTP must lie in it.")] = Path(
        "data"
    )
    reports: Annotated[Path, Meta(description="Folder of the reports and the records of jobs.")] = Path("reports")
    rules: Annotated[Path, Meta(description="File of the rules and the channels; see channels.md.")] = Path(
        "rules.toml"
    )
    watch: Annotated[
        bool, Meta(description="Whether the service watches: judges the rules, sends notices, starts schedules.")
    ] = False
    watch_every: Annotated[timedelta, Meta(description="How often the rules are judged.")] = timedelta(minutes=1)
    watch_behind: Annotated[
        timedelta, Meta(description="How long ago they are judged for: polls are in the lake by then, if in time.")
    ] = timedelta(seconds=10)
    link: Annotated[
        Name, Meta(description="Where notices say that more is told, with the alert's id in the place of `{id}`.")
    ] = Name("")
    database: Annotated[
        DatabaseAddress,
        Meta(description="The records: `sqlite` beside the reports, or `postgresql://user:password@host/name`."),
    ] = SQLITE
    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8000
    allow_anonymous: Annotated[
        bool, Meta(description="Whether everybody may ask from any address while there are no keys.")
    ] = False
    workers: Annotated[int, Meta(ge=1, le=1024, description="Processes that answer and run jobs.")] = 1
    carry_limit: Annotated[timedelta, Meta(description="How long a poll is believed.")] = timedelta(days=7)
    on: Annotated[
        Workplace, Meta(description="Where the work is done: `local`, `ray` or `ray://HOST:PORT`; see cluster.md.")
    ] = LOCAL
    memory: Annotated[
        Memory, Meta(description="Memory that an answer or an ingestion may take, like `2GiB`, or a share of all.")
    ] = Memory(HALF)
    threads: Annotated[int, Meta(ge=0, le=1024, description="Threads that do the work; 0 for one on each CPU.")] = 0
    max_queued: Annotated[int, Meta(ge=1, description="Jobs of a kind that may wait; one more is answered 503.")] = 100
    inbox: Annotated[Size, Meta(description="Polls that may wait for the lake, in bytes; more are answered 503.")] = (
        Size("1GB")
    )
    lease: Annotated[
        timedelta, Meta(description="How long a process may give no sign of life before its jobs are run again.")
    ] = timedelta(seconds=10)
    job_limit: Annotated[timedelta, Meta(description="How long a job may take; one that needs longer fails.")] = (
        timedelta(hours=1)
    )
    keep_reports: Annotated[
        Keeping, Meta(description="Which reports are kept, by age and number: `90d`, `1000`, `90d,1000` or `all`.")
    ] = Keeping()
    issuer: Annotated[Name, Meta(description="Whose JWTs are let in: their `iss`; see security.md.")] = Name("")
    audience: Annotated[Name, Meta(description="For whom JWTs must be: their `aud`.")] = Name("")
    jwks: Annotated[Name, Meta(description="The issuer's keys, a JWKS: a file, or its https address.")] = Name("")
    algorithms: Annotated[Names, Meta(description="In which of these a JWT may be signed.")] = Names(
        ("RS256", "ES256", "EdDSA")
    )
    leeway: Annotated[timedelta, Meta(description="How far the issuer's clock may be from ours.")] = timedelta(
        seconds=30
    )
    role_claim: Annotated[str, Meta(min_length=1, description="The claim of a JWT that names its role.")] = "role"
    filter_claim: Annotated[
        Name,
        Meta(description="The claim that every JWT must have, of the stores that it sees; by default it sees all."),
    ] = Name("")
    rate: Annotated[
        Rate, Meta(description="Requests for each key, and for each address without one, like `600/1m`, or `off`.")
    ] = NO_LIMIT
    proxies: Annotated[
        Networks, Meta(description="Addresses and networks of proxies whose `X-Forwarded-For` is believed.")
    ] = Networks(())
    answers: Annotated[int, Meta(ge=1, le=1024, description="Answers that a process computes at once.")] = 4
    answer_time: Annotated[timedelta, Meta(description="How long an answer may take.")] = timedelta(seconds=60)
    request_time: Annotated[
        timedelta, Meta(description="How long a request may take to arrive, and a client to read on.")
    ] = timedelta(seconds=60)
    body: Annotated[Size, Meta(description="The most that a request may bring, like `10MB`.")] = Size("10MB")

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Read the environment; a flag that is not None overrides it, given as its type or as people write it.

        Raises:
            InputError: values cannot be used; the text names the variable or the flag of each.

        """
        given = {name: value for name, (value, _) in cls._given(flags).items()}
        return cls(**flags | given)  # a flag that is no setting is the caller's bug: a TypeError

    @classmethod
    def in_force(cls, **flags: Any) -> Iterator[InForce]:
        """Tell what `load` comes to, and why.

        Raises:
            InputError: as `load` does.

        """
        settings, given = cls.load(**flags), cls._given(flags)
        for setting in cls.described():
            _, source = given.get(setting.name, (None, "default"))
            yield InForce(setting.name, masked(_written(getattr(settings, setting.name))) or "-", source)

    @classmethod
    def _given(cls, flags: dict[str, Any]) -> dict[str, tuple[object, str]]:
        """Read every setting that is not left to its default, and take its flag: its value, and what gave it."""
        values: dict[str, tuple[object, str]] = {}
        wrong = []
        for setting in cls.described():
            text, flag = os.environ.get(setting.variable), flags.pop(setting.name, None)
            if flag is None and not text:
                continue
            value, source = (text, setting.variable) if flag is None else (flag, setting.flag)
            try:
                values[setting.name] = cls._read(setting.name, value), source
            except (InputError, msgspec.ValidationError) as error:
                wrong.append(masked(f"{source}={value}: {error}"))
        if wrong:
            raise InputError("\n".join(wrong))
        return values

    @classmethod
    def described(cls) -> Iterator[Described]:
        """Name every setting, in the order of the fields."""
        for field in msgspec.structs.fields(cls):
            (meta,) = field.type.__metadata__
            yield Described(field.name, f"{_PREFIX}{field.name.upper()}", _written(field.default), meta.description)

    @classmethod
    def strangers(cls) -> Iterator[str]:
        """Tell of each variable of the environment that is written like one of ours, and is none."""
        from difflib import get_close_matches  # noqa: PLC0415 - it takes as long to import as all the rest

        known = {setting.variable.removeprefix(_PREFIX): setting.variable for setting in cls.described()}
        for variable in sorted(os.environ.keys() - known.values()):
            if variable.startswith(_PREFIX):
                nearest = get_close_matches(variable.removeprefix(_PREFIX).upper(), known, n=1)
                meant = "".join(f"; did you mean {known[name]}?" for name in nearest)
                yield f"{variable}: there is no such setting{meant}"

    @classmethod
    def table(cls) -> str:
        """Write the settings as a Markdown table."""
        rows = [f"| `{s.name}` | `{s.variable}` | `{s.default}` | {s.help} |" for s in cls.described()]
        return "\n".join(["| setting | variable | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])

    @classmethod
    def _read(cls, name: str, value: object) -> object:
        wanted = get_type_hints(cls, include_extras=True)[name]
        if isinstance(value, str):
            value = _PARSERS.get(wanted.__origin__, str)(value)
        return msgspec.convert(value, wanted, strict=False, dec_hook=lambda kind, text: kind(text))


def _written(value: object) -> str:
    """Write a value as people do."""
    if isinstance(value, tuple):
        value = ",".join(value)
    return format_duration(value) if isinstance(value, timedelta) else str(value) or NONE
