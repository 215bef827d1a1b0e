"""Files opened, however they are packed and encoded: gzip, zip, UTF-16."""

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Literal, cast

from storemon.errors import FileError

Kind = Literal["text", "lines", "parquet", "workbook"]
ENDINGS: dict[str, Kind] = {
    **dict.fromkeys((".csv", ".tsv", ".psv", ".txt"), "text"),
    **dict.fromkeys((".ndjson", ".jsonl"), "lines"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm"), "workbook"),
}
"""What is in a file, by the ending of its name; a file that is named alone may have any other, and is then text."""
_PACKED = (".gz", ".zip")
_HEAD = 1 << 16
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the libraries raise of files that are unreadable, cut off, damaged, encrypted, or packed in a rare way."""


def stem_of(path: Path) -> str | None:
    """Give a file's name without its endings, in lower case; None where it is of no kind that is read."""
    name = _unpacked(path)
    return name.stem if name.suffix in ENDINGS or _is_packed(path) else None


def kind_of(path: Path) -> Kind:
    """Tell what is in a file: by its ending, or in an archive by that of what is packed.

    Raises:
        FileError: it is an archive of no file, or of several.

    """
    ending = _unpacked(path).suffix
    if ending not in ENDINGS and path.suffix.lower() == ".zip":
        with reading(path), zipfile.ZipFile(path) as archive:
            ending = PurePath(_member(path, archive).filename.lower()).suffix
    return ENDINGS.get(ending, "text")


def open_binary(path: Path) -> IO[bytes]:
    """Open a file as it is, or what is packed in it.

    Raises:
        FileError: it is an archive of no file, or of several.

    """
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:  # what is open in it stays so
            return archive.open(_member(path, archive))
    return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def head_of(path: Path) -> str:
    """Read the text at a file's beginning; what is cut off there, or damaged, is replaced.

    Raises:
        FileError: the file is missing, a folder or unreadable.

    """
    with reading(path), open_binary(path) as file:
        head = file.read(_HEAD)
    return head.decode(_encoding(head), "replace")


@contextmanager
def as_plain(path: Path) -> Iterator[Path]:
    """Give a file that the libraries can read: itself, or for a while what is packed in it, or the same text in UTF-8.

    Raises:
        FileError: it cannot be read to its end, or there is no room for the other one.

    """
    with reading(path), open_binary(path) as file:
        encoding = _encoding(file.read(_HEAD)) if kind_of(path) in {"text", "lines"} else ""
    if encoding == "utf-8-sig" and path.suffix.lower() != ".zip":  # gzip they can read
        yield path
        return
    if not encoding and not _is_packed(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain"
        with reading(path), open_binary(path) as packed, plain.open("wb") as file:
            if encoding in {"", "utf-8-sig"}:
                shutil.copyfileobj(packed, file)
            else:
                with io.TextIOWrapper(packed, encoding=encoding, newline="") as text:
                    for some in iter(lambda: text.read(_HEAD), ""):
                        file.write(some.encode())
        yield plain


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the failure to read a file into a FileError."""
    try:
        yield
    except FileNotFoundError:
        raise FileError(f"{path} does not exist; check the name (storemon sample DIR writes samples)") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder where a file should be") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not {error.encoding.upper()} throughout; save it as text in UTF-8") from error
    except BROKEN as error:
        raise FileError(f"{path} cannot be read: {error}") from error


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() in _PACKED


def _unpacked(path: Path) -> PurePath:
    name = PurePath(path.name.lower())
    return name.with_suffix("") if name.suffix in _PACKED else name


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Find the one file in an archive, leaving out folders and what systems put beside it."""
    inside = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not PurePath(info.filename).name.startswith(".")
    ]
    if len(inside) == 1:
        return inside[0]
    names = ", ".join(info.filename for info in inside[:5])
    raise FileError(f"{path} must hold one file, but holds {len(inside)}{names and f' ({names})'}; unpack it first")


def _encoding(head: bytes) -> str:
    """Tell the encoding of a text by its byte-order mark; where it has none, by the zeros in what is mostly ASCII."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    some = head[:128]
    if len(some) > 1 and not len(some) % 2:
        for encoding, zeros, letters in (("utf-16-le", some[1::2], some[::2]), ("utf-16-be", some[::2], some[1::2])):
            if not any(zeros) and all(letters):
                return encoding
    return "utf-8-sig"
