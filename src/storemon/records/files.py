"""The files that jobs make: they lie beside the records, each under the id of its job."""

from pathlib import Path
from typing import Literal

from storemon.settings import Settings
from storemon.views.forms import Document, Form


def report_file(settings: Settings, job_id: str, form: Form | Document | Literal["*"] = "csv") -> Path:
    """Name the file of a report in a form, or the pattern of all."""
    return settings.reports / f"{job_id}.{form}"
