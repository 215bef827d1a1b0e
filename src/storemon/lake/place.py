"""Where a lake lies: in a folder, or in object storage under an ``s3://`` URI.

What the libraries need to get at object storage they read from the usual variables: AWS_ENDPOINT_URL, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and so on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from storemon.errors import LakeError

COMMITTING = {
    "allow_http": "true",  # for who writes http:// in AWS_ENDPOINT_URL wants it
    "conditional_put": "etag",  # a commit never takes the place of another: If-None-Match
    "max_retries": "5",
    "retry_timeout": "10s",
}
"""What the Delta library is told of object storage besides the variables."""

READING = {"allow_http": "true"}
"""The same for Polars."""

_SCHEME = re.compile(r"\w+:/")
_IN_STORAGE = re.compile(r"s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9_=+-][A-Za-z0-9_=+.-]*)*/?")
_UNFIT = frozenset("%*?[]^|\\")


@dataclass(frozen=True)
class Place:
    """A folder by its absolute path, or a prefix in a bucket by its URI; `place_of` makes one of what people write."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> "Place":
        return Place(f"{self.text.rstrip('/')}/{name}")

    @property
    def folder(self) -> Path | None:
        """The folder, None in object storage."""
        return None if self.text.startswith("s3://") else Path(self.text)

    @property
    def uri(self) -> str:
        """What the Delta library calls it."""
        return self.folder.as_uri() if self.folder else self.text

    @property
    def committing(self) -> dict[str, str] | None:
        """The options for the Delta library."""
        return None if self.folder else COMMITTING

    @property
    def reading(self) -> dict[str, str] | None:
        """The options for Polars."""
        return None if self.folder else READING


def place_of(path: Path | str) -> Place:
    """Read a path or a URI; neither needs to exist.

    Raises:
        LakeError: it has a character in it that one of the libraries decodes or takes for a pattern, or is no URI of
            object storage.

    """
    text = str(path)
    if _IN_STORAGE.fullmatch(text):
        return Place(text.rstrip("/"))
    if _SCHEME.match(text):
        raise LakeError(
            f"{text}: a lake lies in a folder or, given as text, at s3://bucket/path, with letters, digits and _=+.- "
            "in the path"
        )
    root = str(Path(path).resolve())
    if unfit := _UNFIT.intersection(root):
        raise LakeError(f"{path}: a lake's path cannot contain {min(unfit)!r}; choose another folder")
    return Place(root)
