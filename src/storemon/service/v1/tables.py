"""The routes that load facts: whole tables, and single rows of the maintenance."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, RawBody

from storemon.errors import InputError
from storemon.intake.forms.known import (
    HOURS_FORM,
    MAINTENANCE_FORM,
    SPECIAL_HOURS_FORM,
    STORES_FORM,
    ZONES_FORM,
    Form,
)
from storemon.intake.ingest import TableSummary
from storemon.intake.lake import Lake
from storemon.intake.single import with_ids
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means
from storemon.service.callers import OF_ALL_STORES, needs
from storemon.service.problems import problem, problems
from storemon.service.telemetry.counted import count_rows
from storemon.service.v1.answering import answered
from storemon.service.v1.described import AnswerOperation, ReplaceOperation
from storemon.service.v1.query import Nothing, Wanted, wanted
from storemon.settings import Settings
from storemon.units.instants import EPOCH
from storemon.views.answer import Answer

TABLES: dict[str, Form] = {
    "hours": HOURS_FORM,
    "zones": ZONES_FORM,
    "stores": STORES_FORM,
    "special-hours": SPECIAL_HOURS_FORM,
    "maintenance": MAINTENANCE_FORM,
}
_MOST_NAMES = 1_000
"""The most members that the objects of a table can have, all names together: each is a column of all of them."""
_CSV, _NDJSON = "text/csv", "application/x-ndjson"


class Replaced(msgspec.Struct):
    """What became of the rows of a table that was replaced."""

    table: TableSummary
    taken: tuple[str, ...]
    weaknesses: tuple[str, ...]


class Maintenance(msgspec.Struct):
    """One maintenance: of a store, or of every store (``*``); instants as in maintenance.csv."""

    store_id: str
    starts_at_utc: str
    ends_at_utc: str
    reason: str = ""


class Added(msgspec.Struct):
    """The id of a maintenance, by which it can be taken back."""

    id: str


def _replacing(name: str, form: Form) -> HTTPRouteHandler:
    def replace(request: Request[Any, Any, Any], settings: NamedDependency[Settings], body: RawBody) -> Replaced:
        return _replaced(request, settings, form, body, f"PUT /v1/{name}")

    columns = ", ".join(form.columns)
    replace.__doc__ = (
        f"Replace the whole table by CSV, NDJSON, or a JSON array of objects, with the columns {columns}. "
        "Rows that can't be read are rejected, and kept with the reason; if none can be read, nothing is replaced."
    )
    return put(
        f"/{name}",
        name=f"replace {name}",
        operation_id=f"replace_{form.table.name}",
        opt=needs("writer") | OF_ALL_STORES,
        status_code=200,
        sync_to_thread=True,
        summary=f"Replace {form.table.name.replace('_', ' ')}",
        responses=problems(
            _400="The body can't be read, or none of its rows",
            _413="It is too large",
            _415="It is of another media type",
            _503="The lake can't be written",
        ),
        operation_class=ReplaceOperation,
    )(replace)


def _replaced(request: Request[Any, Any, Any], settings: Settings, form: Form, body: bytes, called: str) -> Replaced:
    media_type = request.content_type[0]
    if media_type not in {_CSV, _NDJSON, "application/json", ""}:
        raise problem(415, f"{media_type} is not taken here; send {_CSV}, {_NDJSON} or application/json")
    with TemporaryDirectory() as folder:
        file = Path(folder) / form.file_name
        if media_type == _NDJSON:
            file = file.with_suffix(".ndjson")
        file.write_bytes(_as_csv(body, form) if media_type == "application/json" else body)
        try:
            ingestion = Lake(settings.lake).ingest(file, memory=settings.memory, called=called)
        except InputError as error:
            raise InputError(str(error).replace(str(file), "the body")) from error
    count_rows(ingestion.tables)
    (table,) = ingestion.tables
    if not ingestion.readable:
        raise InputError(
            f"none of the {table.read:,} rows can be read, so nothing is replaced: {'; '.join(table.reasons)}"
        )
    taken = tuple(line.replace(str(file), "the body") for line in ingestion.taken)
    return Replaced(table, taken, ingestion.weaknesses)


def _as_csv(body: bytes, form: Form) -> bytes:
    """Write an array of objects as CSV: its columns are all names there are, or those of the table if there is none."""
    try:
        rows = msgspec.json.decode(body, type=list[dict[str, str | int | float | bool | None]])
    except msgspec.MsgspecError as error:
        raise InputError(f"the body is no JSON array of objects of texts and numbers: {error}") from error
    names = [*dict.fromkeys(name for row in rows for name in row)] or [*form.columns]
    if len(names) > _MOST_NAMES:
        raise InputError(
            f"the objects have {len(names):,} different members; send the columns {', '.join(form.columns)}"
        )
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(names)
    table.writerows([_text(row.get(name)) for name in names] for row in rows)
    return written.getvalue().encode()


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@get(
    "/maintenance",
    dependencies=wanted(Nothing),
    sync_to_thread=True,
    summary="Maintenance",
    responses=problems(_400="A parameter is not known, or can't have this value"),
    operation_class=AnswerOperation,
)
def list_maintenance(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """List all maintenance, each with the id by which it can be taken back."""
    return answered(request, settings, wanted, _maintenance, name="maintenance")


def _maintenance(_: Nothing, snapshot: Snapshot, __: Means) -> Answer:
    return Answer([with_ids(snapshot.maintenance())], {}, "maintenance", EPOCH)


@post(
    "/maintenance",
    opt=needs("writer") | OF_ALL_STORES,
    sync_to_thread=True,
    summary="Add one maintenance",
    responses={
        201: ResponseSpec(Added, description="It is in the lake"),
        **problems(_400="It can't be read", _503="The lake can't be written"),
    },
)
def add_maintenance(settings: NamedDependency[Settings], data: JSONBody[Maintenance]) -> Response[Added]:
    """Add one maintenance, without the rest of the table; the same one again changes nothing."""
    row = (data.store_id, data.starts_at_utc, data.ends_at_utc, data.reason)
    added = Lake(settings.lake).add_maintenance(*row)
    return Response(Added(added), status_code=201, headers={"Location": f"/v1/maintenance/{added}"})


@delete(
    "/maintenance/{maintenance_id:str}",
    opt=needs("writer") | OF_ALL_STORES,
    sync_to_thread=True,
    summary="Take one maintenance back",
    responses=problems(
        _400="The id can't be read", _404="There is none with this id", _503="The lake can't be written"
    ),
)
def remove_maintenance(maintenance_id: FromPath[str], settings: NamedDependency[Settings]) -> None:
    """Take one maintenance back."""
    if not Lake(settings.lake).remove_maintenance(maintenance_id):
        raise problem(404, f"there is no maintenance {maintenance_id!r}; GET /v1/maintenance lists them")


FACTS = [
    *(_replacing(name, form) for name, form in TABLES.items()),
    list_maintenance,
    add_maintenance,
    remove_maintenance,
]
