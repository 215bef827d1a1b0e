"""The files of a place, in a folder or in object storage: listed, read, put there and removed, by names below it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from storemon.errors import LakeError
from storemon.lake.failures import plain
from storemon.lake.place import Place

if TYPE_CHECKING:
    from deltalake.fs import DeltaStorageHandler

_CHUNK = 1 << 20


class Files:
    """The files of one place. A file is put there as a whole, or not at all."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def sizes(self, folder: str) -> dict[str, int]:
        """List the files right in a folder, with their sizes in bytes; none where there is no such folder.

        Raises:
            LakeError: it cannot be looked at.

        """
        with self._telling("read"):
            if self._place.folder is None:
                from pyarrow.fs import FileSelector  # noqa: PLC0415 - for storage only

                found = storage(self._place).get_file_info_selector(FileSelector(folder, allow_not_found=True))
                return {info.base_name: int(info.size) for info in found if info.is_file}
            try:
                with os.scandir(self._place.folder / folder) as entries:
                    return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
            except FileNotFoundError:
                return {}

    def size(self, name: str) -> int:
        """Tell the size of a file in bytes, -1 if there is none.

        Raises:
            LakeError: it cannot be looked at.

        """
        with self._telling("read"):
            if self._place.folder is None:
                (info,) = storage(self._place).get_file_info([name])
                return int(info.size) if info.is_file else -1
            try:
                return (self._place.folder / name).stat().st_size
            except FileNotFoundError:
                return -1

    def pieces(self, name: str) -> Iterator[bytes]:
        """Read a file, a piece at a time.

        Raises:
            LakeError: it is not there, or cannot be read.

        """
        with self._telling("read"):
            there = self._place.folder
            file = storage(self._place).open_input_file(name) if there is None else (there / name).open("rb")
        with closing(file):
            while True:
                with self._telling("read"):
                    piece = file.read(_CHUNK)
                if not piece:
                    return
                yield piece

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put a file there, in the place of one of its name.

        Raises:
            LakeError: it cannot be written.

        """
        with self._telling("written"):
            if self._place.folder is None:
                from pyarrow.fs import PyFileSystem  # noqa: PLC0415 - for storage only

                # With a buffer between, the library is handed bytes; it takes no others.
                whole = PyFileSystem(storage(self._place))
                with whole.open_output_stream(name, compression=None, buffer_size=_CHUNK) as file:
                    for piece in pieces:
                        file.write(piece)
                return
            path = self._place.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{uuid4().hex}.part")
            try:
                with part.open("xb") as file:
                    file.writelines(pieces)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    def settle(self, names: Iterable[str]) -> None:
        """Make the names of files that were put outlive a power cut, as their content does.

        Raises:
            LakeError: the folders that they are in cannot be written.

        """
        root = self._place.folder
        if root is None:
            return
        with self._telling("written"):
            for folder in {root / parent for name in names for parent in Path(name).parents}:
                opened = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)

    def remove(self, name: str) -> None:
        """Remove a file.

        Raises:
            LakeError: it cannot be removed.

        """
        with self._telling("removed"):
            if self._place.folder is None:
                storage(self._place).delete_file(name)
            else:
                (self._place.folder / name).unlink(missing_ok=True)

    @contextmanager
    def _telling(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LakeError(f"{self._place}: a file cannot be {done}: {plain(error)}") from error


def storage(place: Place) -> "DeltaStorageHandler":
    """Open object storage as a system of files."""
    from deltalake.fs import DeltaStorageHandler  # noqa: PLC0415 - it loads Arrow's file systems, for storage only

    return DeltaStorageHandler(place.uri, place.committing)
