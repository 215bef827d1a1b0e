"""The command that lets polls arrive by themselves."""

import signal
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from storemon.cli.options import LakePlace
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.arrivals.addresses import Address

Format = Literal["json", "ndjson", "csv", "arrow", "line"]


def listen(
    url: str,
    /,
    *,
    format: Annotated[  # noqa: A002 - what it is called on the command line
        Format, Parameter(help="What messages hold that don't say it in their content-type (default: json).")
    ] = "json",
    lake: LakePlace = None,
    reports: Annotated[Path | None, Parameter(help="Folder of the records, the inbox too (default: reports).")] = None,
) -> None:
    """Let polls arrive from Kafka, RabbitMQ or NATS, or as files dropped into a folder. Ctrl-C stops.

    Parameters
    ----------
    url
        kafka://HOST:9092/TOPIC?group=storemon, amqp://USER:PASSWORD@HOST/VHOST?queue=QUEUE,
        nats://HOST:4222/SUBJECT?durable=storemon, or folder://data/incoming.

    """
    from storemon.arrivals.addresses import Address
    from storemon.service.logs import configure_logs

    settings, address, stopping = Settings.load(lake=lake, reports=reports), Address.read(url), Event()
    configure_logs()
    stop_at_signals(stopping)
    if address.scheme == "folder":
        from storemon.arrivals.folder import Folder

        Folder(address, settings, stopping=stopping).run()
    else:
        _consume(address, settings, format, stopping)


def stop_at_signals(stopping: Event) -> None:
    """Have what is under way be the last, once somebody says so by SIGTERM, SIGINT or Ctrl-C."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: _stop(stopping))


def _stop(stopping: Event) -> None:
    """Have the batch under way be the last one; asked once more, end at once."""
    stopping.set()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _consume(address: "Address", settings: Settings, form: Format, stopping: Event) -> None:
    from storemon.arrivals.consuming import Consumer
    from storemon.arrivals.moving import Mover
    from storemon.arrivals.sources import source_of
    from storemon.records.inbox import Inbox
    from storemon.records.leases import Leases
    from storemon.records.opening import opened_records
    from storemon.units.sizes import parse_size

    source = source_of(address)
    records = opened_records(settings)
    inbox = Inbox(records, most=parse_size(settings.inbox))
    mover = Mover(settings, inbox, Leases(records))
    mover.start()
    try:
        Consumer(source, inbox, form=form, stopping=stopping).run()
    finally:
        mover.stop()
        records.dispose()
