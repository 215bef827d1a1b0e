"""The settings: each with a name, a default and a line of help, read once and never changed."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NewType, Self, get_type_hints

import msgspec
from msgspec import Meta

from storemon.errors import InputError
from storemon.units.addresses import SQLITE, DatabaseAddress, masked, parse_database
from storemon.units.durations import format_duration, parse_duration
from storemon.units.keeping import Keeping, parse_keeping
from storemon.units.sizes import HALF, parse_size
from storemon.units.workplaces import LOCAL, Workplace, parse_workplace

Memory = NewType("Memory", str)
"""A size as people write it."""


def _parse_memory(text: str) -> Memory:
    parse_size(text)
    return Memory(text)


_PARSERS: Mapping[object, Callable[[str], object]] = {
    timedelta: parse_duration,
    Workplace: parse_workplace,
    Memory: _parse_memory,
    Keeping: parse_keeping,
    DatabaseAddress: parse_database,
}
"""What reads the text of a setting of a type, where msgspec does not."""


class Described(NamedTuple):
    """One setting as people see it: its field's ``name``, its ``variable`` in the environment, both texts."""

    name: str
    variable: str
    default: str
    help: str


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What storemon runs with: the defaults, then the environment's ``STOREMON_*``, then flags, the last one wins."""

    lake: Annotated[str, Meta(min_length=1, description="Folder of the lake, or s3://bucket/path.")] = "parquet"
    data: Annotated[Path, Meta(description="Folder of the CSVs; what is ingested over HTTP must lie in it.")] = Path(
        "data"
    )
    reports: Annotated[Path, Meta(description="Folder of the reports and the records of jobs.")] = Path("reports")
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
    lease: Annotated[
        timedelta, Meta(description="How long a process may give no sign of life before its jobs are run again.")
    ] = timedelta(seconds=10)
    job_limit: Annotated[timedelta, Meta(description="How long a job may take; one that needs longer fails.")] = (
        timedelta(hours=1)
    )
    keep_reports: Annotated[
        Keeping, Meta(description="Which reports are kept, by age and number: `90d`, `1000`, `90d,1000` or `all`.")
    ] = Keeping()

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Read the environment; a flag that is not None overrides it, given as its type or as people write it.

        Raises:
            InputError: a value cannot be used; the text names the variable or the flag.

        """
        values: dict[str, Any] = {}
        for setting in cls.described():
            text, flag = os.environ.get(setting.variable), flags.pop(setting.name, None)
            if flag is not None:
                values[setting.name] = cls._read(setting.name, flag, f"--{setting.name.replace('_', '-')}")
            elif text:
                values[setting.name] = cls._read(setting.name, text, setting.variable)
        return cls(**values | flags)  # a flag that is no setting is the caller's bug: a TypeError

    @classmethod
    def described(cls) -> Iterator[Described]:
        """Name every setting, in the order of the fields."""
        for field in msgspec.structs.fields(cls):
            default = field.default
            text = format_duration(default) if isinstance(default, timedelta) else str(default)
            (meta,) = field.type.__metadata__
            yield Described(field.name, f"STOREMON_{field.name.upper()}", text, meta.description)

    @classmethod
    def table(cls) -> str:
        """Write the settings as a Markdown table."""
        rows = [f"| `{s.name}` | `{s.variable}` | `{s.default}` | {s.help} |" for s in cls.described()]
        return "\n".join(["| setting | variable | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])

    @classmethod
    def _read(cls, name: str, value: object, source: str) -> object:
        wanted = get_type_hints(cls, include_extras=True)[name]
        try:
            if isinstance(value, str):
                value = _PARSERS.get(wanted.__origin__, str)(value)
            return msgspec.convert(value, wanted, strict=False, dec_hook=lambda kind, text: kind(text))
        except (InputError, msgspec.ValidationError) as error:
            raise InputError(f"{source}={masked(str(value))}: {error}") from error
