"""The routes that load facts: whole tables, and single rows of the maintenance."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter, RawBody

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
from storemon.questions.options import LONGEST, Means
from storemon.service.door.callers import OF_ALL_STORES, needs
from storemon.service.problems import problem
from storemon.service.schema import OF_FACTS, OF_PAGES, link, tells
from storemon.service.telemetry.counted import count_rows
from storemon.service.v1.answering import answered
from storemon.service.v1.described import UNCHANGED, AnswerOperation, taking_rows
from storemon.service.v1.problems import problems
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
_STORE = "27da2c26-f5a7-45bb-905c-bdc9558cea5e"  # of the sample
_ROWS = {
    "hours": {"store_id": _STORE, "dayOfWeek": "0", "start_time_local": "09:00:00", "end_time_local": "17:30:00"},
    "zones": {"store_id": _STORE, "timezone_str": "America/Chicago"},
    "stores": {"store_id": _STORE, "brand": "Prairie Burger", "region": "South"},
    "special-hours": {"store_id": _STORE, "date": "2024-12-25", "start_time_local": "", "end_time_local": ""},
    "maintenance": {
        "store_id": _STORE,
        "starts_at_utc": "2024-10-13T02:00:00Z",
        "ends_at_utc": "2024-10-13T04:00:00Z",
        "reason": "new tills",
    },
}
"""An example of a row of each."""
MaintenanceId = Annotated[
    str,
    PathParameter(description="The id of one maintenance.", examples=[Example(value="3f1c9a7be2d04856")]),
]
_TAKE_BACK = tells(
    list=link("get_v1_maintenance", "All maintenance, each with the id by which it can be taken back"),
)
_MOST_NAMES = 1_000
"""The most members that the objects of a table can have, all names together: each is a column of all of them."""
_CSV, _NDJSON = "text/csv", "application/x-ndjson"


class Replaced(msgspec.Struct):
    """What became of the rows of a table that was replaced."""

    table: TableSummary
    taken: tuple[str, ...]
    weaknesses: tuple[str, ...]


def _like(column: str) -> msgspec.Meta:
    return msgspec.Meta(max_length=LONGEST, examples=[_ROWS["maintenance"][column]])


class Maintenance(msgspec.Struct):
    """One maintenance: of a store, or of every store (``*``); instants as in maintenance.csv."""

    store_id: Annotated[str, _like("store_id")]
    starts_at_utc: Annotated[str, _like("starts_at_utc")]
    ends_at_utc: Annotated[str, _like("ends_at_utc")]
    reason: Annotated[str, _like("reason")] = ""


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
        opt=needs("writer") | OF_ALL_STORES | (_TAKE_BACK if name == "maintenance" else {}),
        status_code=200,
        sync_to_thread=True,
        summary=f"Replace {form.table.name.replace('_', ' ')}",
        responses=problems(
            wrong_question="The body can't be read, or none of its rows",
            wrong_body="It is of another media type",
            facts_out_of_reach="The lake can't be written",
        ),
        operation_class=taking_rows(_ROWS[name]),  # type: ignore[arg-type]
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
    dependencies=wanted(Nothing, sort="starts_at"),
    sync_to_thread=True,
    summary="Maintenance",
    opt=tells(*OF_FACTS, *OF_PAGES),
    responses=UNCHANGED
    | problems(
        wrong_question="A parameter is not known, or can't have this value",
        no_such_form="There is no form that is accepted",
        facts_out_of_reach="The lake can't be read",
    ),
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
    opt=needs("writer")
    | OF_ALL_STORES
    | tells(
        "Location",
        take_back=link("delete_v1_maintenance_maintenance_id", "Take it back", maintenance_id="$response.body#/id"),
    ),
    sync_to_thread=True,
    summary="Add one maintenance",
    response_description="It is in the lake",
    responses=problems(wrong_question="It can't be read", facts_out_of_reach="The lake can't be written"),
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
        wrong_question="The id can't be read",
        not_found="There is none with this id",
        facts_out_of_reach="The lake can't be written",
    ),
)
def remove_maintenance(maintenance_id: MaintenanceId, settings: NamedDependency[Settings]) -> None:
    """Take one maintenance back."""
    if not Lake(settings.lake).remove_maintenance(maintenance_id):
        raise problem(404, f"there is no maintenance {maintenance_id!r}; GET /v1/maintenance lists them")


FACTS = [
    *(_replacing(name, form) for name, form in TABLES.items()),
    list_maintenance,
    add_maintenance,
    remove_maintenance,
]
