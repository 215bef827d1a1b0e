"""Commands about channels, and the notices that go out by them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from storemon.cli.records import RecordsFolder
from storemon.errors import InputError
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.watch.channels.reading import Channels
    from storemon.watch.outbox import Notice

RulesFile = Annotated[
    Path | None, Parameter(name="--rules", help="File of the rules and the channels (default: rules.toml).")
]


def channels(action: Literal["list", "test"], name: str | None = None, /, *, rules: RulesFile = None) -> None:
    """List the channels of the file of rules, or send a test by one of them.

    Parameters
    ----------
    action
        list the channels there are; test sends a notice now, and says what became of it.
    name
        The channel to test, by its name or as an address like mail:ops@example.org.

    """
    from storemon.watch.channels.reading import Channels, read_tables

    file = Settings.load(rules=rules).rules
    known = Channels(read_tables(file))
    if action == "list":
        _list(known, file)
    elif name is None:
        raise InputError(f"name the channel to test: {', '.join(known.named) or 'there are none yet'}")
    else:
        _test(known, name)


def notices(
    action: Literal["list", "retry"] = "list",
    notice: str | None = None,
    /,
    *,
    dead: Annotated[bool, Parameter(help="Only those that were given up.")] = False,
    top: Annotated[int, Parameter(help="So many, the newest.")] = 50,
    reports: RecordsFolder = None,
) -> None:
    """List the notices that were sent or wait for it, or send one again that was given up.

    Parameters
    ----------
    action
        list them, the newest first; retry sends one again that was given up.
    notice
        The notice to send again, by its id.

    """
    from storemon.records.opening import opened_records
    from storemon.watch.outbox import Outbox

    records = opened_records(Settings.load(reports=reports))
    try:
        outbox = Outbox(records)
        if action == "list":
            _list_notices(outbox.newest(top, state="dead" if dead else None))
        elif notice is None or not outbox.retry(notice):
            raise InputError(f"there is no notice {notice or ''!r} that was given up; see: storemon notices --dead")
        else:
            sys.stdout.write(f"{notice}: waits to be sent; whoever watches sends it at once\n")
    finally:
        records.dispose()


def _list(known: "Channels", file: Path) -> None:
    if not known.named:
        sys.stderr.write(f"storemon: {file}: there are no channels\n")
    width = max(map(len, known.named), default=0)
    for name, channel in known.named.items():
        hours = f"  {channel.hours}" if channel.hours else ""
        sys.stdout.write(f"{name:<{width}}  {channel.kind:<12}  {channel.where}{hours}\n")


def _test(known: "Channels", name: str) -> None:
    from uuid import uuid4

    from storemon.watch.texts import trial_message

    channel = known.get(name)
    message = trial_message(str(uuid4()), channel.name)
    channel.send(message)
    sys.stdout.write(f"{channel.name}: the test {message.id} was taken by {channel.where}\n")


def _list_notices(found: "list[Notice]") -> None:
    from datetime import timedelta

    from storemon.units.instants import EPOCH
    from storemon.watch.channels.reading import shown

    if not found:
        sys.stderr.write("storemon: there are no such notices\n")
    for notice in found:
        made_at = EPOCH + timedelta(microseconds=notice.created_at)
        why = f"  ({notice.attempts} attempts: {notice.reason})" if notice.reason else ""
        sys.stdout.write(
            f"{notice.id}  {made_at:%Y-%m-%d %H:%M:%S} UTC  {notice.state:<7}  {shown(notice.channel)}  "
            f"{notice.message.title}{why}\n"
        )
