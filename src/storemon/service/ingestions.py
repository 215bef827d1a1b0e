"""The routes of ingestions: start, poll."""

from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from storemon.intake.ingest import TableSummary
from storemon.records.jobs import Jobs
from storemon.service.door.callers import OF_ALL_STORES, needs
from storemon.service.problems import problem, problems
from storemon.service.schema import link, tells
from storemon.service.work import ingestion_parameters
from storemon.service.workers import Workers
from storemon.settings import Settings

IngestId = Annotated[
    UUID,
    PathParameter(
        description="The id of an ingestion.", examples=[Example(value="5d0c8a4f-1e2b-4c3d-8f6a-7b9e0d1c2a3f")]
    ),
]
Status = Literal["Queued", "Running", "Complete", "Failed"]


class Asked(msgspec.Struct):
    """The folder of CSVs to load, or one CSV; it must lie in the data folder."""

    path: Annotated[str, msgspec.Meta(examples=["data"])]


class Started(msgspec.Struct):
    """An ingestion's id."""

    ingest_id: UUID
    message: str = "Data ingestion started in the background..."


class IngestionStatus(msgspec.Struct, omit_defaults=True):
    """How far an ingestion is: once complete, the counts for each file; once failed, the reason.

    Where there is something to say of them: columns and units that were taken for others, files of the folder that
    were not used, and what makes the figures doubtful now.
    """

    ingest_id: UUID
    status: Status
    tables: list[TableSummary] | None = None
    reason: str | None = None
    taken: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()


@post(
    "/ingest",
    status_code=200,
    sync_to_thread=True,
    opt=needs("writer")
    | OF_ALL_STORES
    | tells(poll=link("get_ingest_ingest_id", "How far it is", ingest_id="$response.body#/ingest_id")),
    summary="Load CSVs into the lake",
    response_description="The ingestion is queued, durably",
    responses=problems(_400="The path is not in the data folder", _503="Too many ingestions are waiting"),
)
def ingest(data: JSONBody[Asked], settings: NamedDependency[Settings], workers: NamedDependency[Workers]) -> Started:
    """Start an ingestion. A relative path begins at the service's working directory. Poll it by its id."""
    return Started(UUID(workers.add("ingestion", ingestion_parameters(settings, data.path))))


@get(
    "/ingest/{ingest_id:str}",
    opt=OF_ALL_STORES,
    summary="Poll an ingestion",
    response_description="Its state",
    responses=problems(_400="The id is no UUID", _404="There is no such ingestion"),
)
async def get_ingestion(ingest_id: IngestId, jobs: NamedDependency[Jobs]) -> IngestionStatus:
    """Answer with the state, and with the counts or the reason once it has ended."""
    job = await jobs.look("ingestion", str(ingest_id))
    if job is None:
        raise problem(404, f"there is no ingestion {ingest_id}; start one with POST /ingest")
    result = job.result or {}
    tables = msgspec.convert(result.get("tables"), list[TableSummary] | None)
    said = {name: tuple(result.get(name, ())) for name in ("taken", "unused", "weaknesses")}
    return IngestionStatus(ingest_id, cast("Status", job.state.capitalize()), tables or None, job.reason, **said)
