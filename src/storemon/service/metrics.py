"""The route of the metrics."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import generate_latest

from storemon.service.door.callers import OF_ALL_STORES
from storemon.service.telemetry.counted import counts
from storemon.service.telemetry.scraped import Found
from storemon.service.telemetry.stores import StoresNow


@get(
    "/metrics",
    sync_to_thread=True,
    opt=OF_ALL_STORES,
    summary="Metrics for Prometheus",
    responses={
        200: ResponseSpec(
            str, media_type="text/plain", generate_examples=False, description="In Prometheus' text format"
        )
    },
)
def metrics(stores_now: NamedDependency[StoresNow], scraped: NamedDependency[Found]) -> Response[bytes]:
    """Tell what all processes of this service have counted, and what is true of it now."""
    stores_now.refresh()
    told = counts() + generate_latest(scraped)
    return Response(told, media_type="text/plain; version=0.0.4")
