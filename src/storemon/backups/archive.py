"""The archive that a backup is: a tar file, packed by Zstandard, and in it, last, a list of its files with checksums.

So one that was cut off has no list, and one that was damaged does not agree with it. Nothing is ever unpacked to where
its name says: links and devices are refused, and so is every name that a backup has no file of.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa

from storemon.errors import FileError

LIST = "storemon.json"
FORMAT = 1
"""The number of the archive's format."""
CHUNK = 1 << 20
_LONGEST_LIST = 1 << 28


class Listed(msgspec.Struct, frozen=True):
    """A file of an archive: its size in bytes, and its SHA-256."""

    size: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive tells of itself: the formats of it, of the lake and of the records, who made it, its files."""

    archive: int = FORMAT
    lake: int
    records: str
    storemon: str
    made_at: str
    rows: dict[str, int]
    files: dict[str, Listed]


class Entry(NamedTuple):
    """A file in an archive that is being read; its pieces can be had until the next one is asked for."""

    name: str
    changed_at: float
    pieces: Iterator[bytes]


class Writer:
    """Writes an archive, file by file."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, Listed] = {}
        """What has been written."""

    def add(self, name: str, size: int, pieces: Iterable[bytes], *, changed_at: float = 0) -> None:
        """Add a file.

        Raises:
            FileError: it is of another size.

        """
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = size, changed_at, 0o600
        source = _Source(name, size, pieces)
        with io.BufferedReader(source, CHUNK) as buffered:
            self._tar.addfile(entry, buffered)
        self.files[name] = Listed(size, source.hash.hexdigest())


@contextmanager
def writing(file: BinaryIO) -> Iterator[Writer]:
    """Write an archive to a file that is open; the list is for the caller to `finish` with."""
    sink = _Sink(file)
    packed = pa.CompressedOutputStream(sink, "zstd")
    try:
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            yield Writer(tar)
        packed.close()
    except BaseException:
        sink.is_of_use = False  # what Arrow still holds need not be written, least of all to a full disk
        packed.close()
        raise


def finish(writer: Writer, contents: Contents) -> None:
    """Add the list: the archive is whole then."""
    told = msgspec.json.format(msgspec.json.encode(contents))
    writer.add(LIST, len(told), [told])


def entries(path: Path, is_ours: Callable[[str], bool]) -> Iterator[Entry]:
    """Read an archive, file by file, the list too.

    Raises:
        FileError: it cannot be read, or has something in it that is not ``is_ours``.

    """
    with (
        _telling(path),
        path.open("rb") as file,
        pa.CompressedInputStream(file, "zstd") as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as tar,
    ):
        for found in tar:
            is_plain = found.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not found.issparse()
            opened = tar.extractfile(found) if is_plain and (found.name == LIST or is_ours(found.name)) else None
            if opened is None:
                raise FileError(f"{path}: no backup of storemon has {found.name!r} in it; nothing was changed")
            yield Entry(found.name, found.mtime, _pieces(path, opened))


def verified(path: Path, is_ours: Callable[[str], bool]) -> Contents:
    """Read all of an archive, and give its list, with which every byte agrees.

    Raises:
        FileError: it cannot be read, was cut off or damaged, or is of a newer format.

    """
    found: dict[str, Listed] = {}
    contents = None
    for entry in entries(path, is_ours):
        if contents is not None or entry.name in found:
            raise _damaged(path, f"{entry.name!r} is in it twice, or too late")
        if entry.name == LIST:
            contents = _list(path, entry)
            continue
        size, known = 0, hashlib.sha256()
        for piece in entry.pieces:
            size += len(piece)
            known.update(piece)
        found[entry.name] = Listed(size, known.hexdigest())
    if contents is None:
        raise _damaged(path, "its end is missing")
    if odd := sorted(
        name for name in found.keys() | contents.files.keys() if found.get(name) != contents.files.get(name)
    ):
        raise _damaged(path, f"{odd[0]!r} is not what it was")
    return contents


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file that is open, a piece at a time."""
    while piece := file.read(CHUNK):
        yield piece


def _list(path: Path, entry: Entry) -> Contents:
    told = b""
    for piece in entry.pieces:
        told += piece
        if len(told) > _LONGEST_LIST:
            raise _damaged(path, "its list has no end")
    try:
        found = msgspec.json.decode(told, type=dict[str, Any])
        if found.get("archive") != FORMAT:
            raise FileError(
                f"{path}: this backup is of format {found.get('archive')}, and this storemon reads format {FORMAT}; "
                f"restore it with storemon {found.get('storemon')}, which made it"
            )
        return msgspec.convert(found, Contents)
    except msgspec.MsgspecError as error:
        raise _damaged(path, f"its list cannot be read: {error}") from error


def _damaged(path: Path, why: str) -> FileError:
    return FileError(f"{path}: this is no whole backup of storemon: {why}; nothing was changed, take another one")


def _pieces(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    while True:
        with _telling(path):
            piece = file.read(CHUNK)
        if not piece:
            return
        yield piece


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn the failure to read an archive into a FileError."""
    try:
        yield
    except (tarfile.TarError, EOFError, pa.ArrowException, UnicodeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        if error.errno is None:  # it is Arrow's, of what is not packed as it should be
            raise _damaged(path, str(error)) from error
        raise FileError(f"{path}: it cannot be read: {error.strerror}") from error


class _Source(io.RawIOBase):
    """Pieces, as a file to read: hashed on the way, and held to a size."""

    def __init__(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        self._name, self._left, self._pieces = name, size, iter(pieces)
        self._piece = memoryview(b"")
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._piece:
            self._piece = memoryview(next(self._pieces, b""))
            self._left -= len(self._piece)
            self.hash.update(self._piece)
            if self._left < 0 or (not self._piece and self._left):
                raise FileError(
                    f"{self._name}: the file is of another size than it was; it is damaged, or being changed"
                )
        count = min(len(buffer), len(self._piece))
        buffer[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


class _Sink(io.RawIOBase):
    """A file to write to, which outlives the stream that packs what is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.is_of_use = True

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        return self._file.write(piece) if self.is_of_use else len(piece)
