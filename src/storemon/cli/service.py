"""Commands that lead out of here: the SQL for whoever audits it, the HTTP service."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.options import LakePlace
from storemon.settings import Settings


def sql() -> None:
    """Print the one SQL statement that finds where the state of each store changes: all that its polls decide."""
    from storemon.engine.pipeline import STATES, statement

    sys.stdout.write(statement(STATES["carry"]) + "\n")


def serve(
    *,
    lake: LakePlace = None,
    data: Annotated[Path | None, Parameter(help="Folder that ingestions must lie in (default: data).")] = None,
    reports: Annotated[Path | None, Parameter(help="Folder of the reports (default: reports).")] = None,
    host: Annotated[str | None, Parameter(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on (default: 8000).")] = None,
    allow_anonymous: Annotated[
        bool | None, Parameter(help="Let everybody ask from any address while there are no keys.")
    ] = None,
    watch: Annotated[
        bool | None, Parameter(help="Watch as well: evaluate rules, send notices, start schedules.")
    ] = None,
    workers: Annotated[int | None, Parameter(help="Processes that answer and run jobs (default: 1).")] = None,
    keep_reports: Annotated[
        str | None, Parameter(help="Reports to keep, like 90d or 1000 or 90d,1000 (default: all).")
    ] = None,
) -> None:
    """Serve reports over HTTP: trigger one, poll it, download it. Ctrl-C stops."""
    from storemon.service.app import serve as run

    where = {"host": host, "port": port, "allow_anonymous": allow_anonymous, "watch": watch}
    run(Settings.load(lake=lake, data=data, reports=reports, workers=workers, keep_reports=keep_reports, **where))
