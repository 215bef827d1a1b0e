"""Folders, and object storage: a message's files and its text, each put there as a whole or not at all."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePath

from storemon.errors import ChannelError, LakeError
from storemon.lake.files import Files
from storemon.lake.place import Place
from storemon.watch.channels.channel import Way
from storemon.watch.messages import Message

_ENDING = re.compile(r"(?<=.)\.\w{1,8}$")
_DAY = re.compile(r"-\d{4}-\d\d-\d\d$")
_CHUNK = 1 << 20
_UNFIT = str.maketrans(dict.fromkeys('/\\:*?"<>|%[]^', "_"))


class Shelf(Way):
    """Puts messages into a place.

    A file is called as in the message, with the day in UTC (unless its name ends with one), and the beginning of the
    notice's id: ``sales-2024-10-14-5f0c9a1e.xlsx``. The text lies beside it, under the same name; that of a message
    without files is called by its id.
    What is sent twice is there once.
    """

    def __init__(self, place: Place) -> None:
        self._place, self._files = place, Files(place)
        self.kind = "s3" if place.folder is None else "folder"
        self.where = str(place)

    def send(self, message: Message) -> None:
        """Put the files there, then the text: whoever sees that finds the others."""
        names = [_named(file.name, message.id[:8]) for file in message.files]
        text = f"{PurePath(names[0]).stem if names else message.id.translate(_UNFIT)}.txt"
        try:
            for file, name in zip(message.files, names, strict=True):
                self._files.put(name, _pieces(Path(file.place)))
            self._files.put(text, [f"{message.title}\n\n{message.text}\n".encode()])
            self._files.settle([*names, text])
        except (LakeError, OSError) as error:
            raise ChannelError(f"{error}; make room, or let this user write there") from error


def _named(name: str, mark: str) -> str:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    fit = "".join(each for each in name.translate(_UNFIT) if each.isprintable()).lstrip(".") or "file"
    ending = found[0] if (found := _ENDING.search(fit)) else ""
    stem = fit.removesuffix(ending)
    dated = stem if _DAY.search(stem) else f"{stem}-{day}"  # that of a schedule has the day of its tick
    return f"{dated}-{mark}{ending}"


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_CHUNK):
                yield piece
    except OSError as error:
        raise ChannelError(f"the file {file.name} can't be read here: {error.strerror}") from error
