"""The service with a wait before each report and each ingestion: time to end a process in the midst of one."""

import os
import select
from typing import Any

from storemon.answers.report import report_by_range
from storemon.intake.lake import Lake
from storemon.service import work, workers
from storemon.service.app import serve
from storemon.settings import Settings

ingest = Lake.ingest


def slow_report(*args: Any, **kwargs: Any) -> Any:
    select.select(
        [], [], [], float(os.environ["SLOW_SECONDS"])
    )  # unlike time.sleep, it does with a clock that is faked
    return report_by_range(*args, **kwargs)


def slow_ingest(*args: Any, **kwargs: Any) -> Any:
    select.select(
        [], [], [], float(os.environ["SLOW_SECONDS"])
    )  # unlike time.sleep, it does with a clock that is faked
    return ingest(*args, **kwargs)


workers.GRACE_SECONDS = 1
work.report_by_range = slow_report  # type: ignore[attr-defined]
Lake.ingest = slow_ingest  # type: ignore[method-assign]

if __name__ == "__main__":
    serve(Settings.load())
