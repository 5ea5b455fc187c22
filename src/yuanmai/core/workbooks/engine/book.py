"""From bytes to sheets. Nothing here trusts the file: size, kind and shape are judged before a parser sees it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from .faults import BookError
from .html_book import read_html_tables

Cell = None | str | float | int | bool | date | datetime | time | timedelta

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED = 700 * 1024 * 1024
MAX_CELLS = 12_000_000  # dense cells of one sheet; the reader allots all of them
MAX_COLUMNS = 1_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WIDE = re.compile(rb"<c [^<>]*?r=[\"']([A-Z]{2,3})\d+[\"'](?:[^<>]*[^/<>])?>")
_ROW = re.compile(rb"<row [^<>]*?r=[\"'](\d+)[\"']")
_CELL = re.compile(rb"<c [^<>]*?r=[\"']([A-Z]{1,3})(\d+)[\"'](?:[^<>]*[^/<>])?>")
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, zero-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `rows()` starts a new pass over lists of cells; empty cells are None."""

    name: str
    hidden: bool
    merges: tuple[Merge, ...]
    rows: Callable[[], Iterator[list[Cell]]]


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook: its file name (for the period) and its sheets in order."""

    name: str
    format: str
    sheets: tuple[Sheet, ...]


def read_book(data: bytes, name: str) -> Book:
    """Open .xlsx, .xlsm, .xlsb, .xls, .ods, .csv, .txt and HTML tables saved as .xls.

    Raises BookError with code empty, too_big, encrypted, corrupt or format.
    """
    if not data.strip(b"\x00 \r\n\t"):
        raise BookError("empty")
    if len(data) > MAX_BYTES:
        raise BookError("too_big", limit_mb=MAX_BYTES // 1024 // 1024)
    if data[:4] == b"PK\x03\x04":
        _judge_zip(data)
        return _read_calamine(data, name, "xlsx")
    if data[:8] == _OLE:
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise BookError("encrypted")
        return _read_calamine(data, name, "xls")
    if data[:5] == b"%PDF-" or data[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"Rar!", b"7z\xbc\xaf"):
        raise BookError("format")
    text = decode_text(data)
    if re.match(r"\s*(<\?xml|<!doctype html|<html|<table|<meta|<head)", text[:500], re.IGNORECASE):
        tables = read_html_tables(text)
        if not tables:
            raise BookError("format")
        return Book(
            name, "html", tuple(_html_sheet(i, rows, merges) for i, (rows, merges) in enumerate(tables))
        )
    return Book(name, "csv", (_csv_sheet(text, name),))


def decode_text(data: bytes) -> str:
    """Text of a CSV in UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030. Raises BookError format."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text or sum(ch < " " and ch not in "\r\n\t\f" for ch in text[:4000]) > 4:
            break
        return text
    raise BookError("format")


def _csv_sheet(text: str, name: str) -> Sheet:
    head = text[:20000]
    delimiter = max((",", "\t", ";", "|"), key=head.count)
    if head.count(delimiter) == 0:
        delimiter = ","

    def rows() -> Iterator[list[Cell]]:
        csv.field_size_limit(1_000_000)
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                yield [cell if cell and not cell.isspace() else None for cell in row]
        except csv.Error as error:
            raise BookError("corrupt") from error

    stem = re.sub(r"\.\w{1,5}$", "", name.replace("\\", "/").rsplit("/", 1)[-1])
    return Sheet(stem or "CSV", False, (), rows)


def _html_sheet(index: int, rows: list[list[str | None]], merges: list[tuple[int, int, int, int]]) -> Sheet:
    return Sheet(
        f"Sheet{index + 1}",
        False,
        tuple(Merge(*m) for m in merges),
        lambda: iter([list[Cell](r) for r in rows]),
    )


def _read_calamine(data: bytes, name: str, kind: str) -> Book:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = []
        for meta in workbook.sheets_metadata:
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            sheets.append(_calamine_sheet(workbook, meta.name, meta.visible != SheetVisibleEnum.Visible))
    except PasswordError as error:
        raise BookError("encrypted") from error
    except (CalamineError, OSError, ValueError, KeyError) as error:
        if "password" in str(error).lower() or "encrypt" in str(error).lower():
            raise BookError("encrypted") from error
        raise BookError("corrupt", detail=str(error)[:200]) from error
    except BaseException as error:  # a Rust panic is not an Exception
        if type(error).__name__ == "PanicException":
            raise BookError("corrupt", detail="unreadable structure") from error
        raise
    if not sheets:
        raise BookError("empty")
    return Book(name, kind, tuple(sheets))


def _calamine_sheet(workbook: CalamineWorkbook, name: str, hidden: bool) -> Sheet:
    sheet = workbook.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    pad: list[Cell] = [None] * left

    def rows() -> Iterator[list[Cell]]:
        if sheet.start is None:
            return
        for row in sheet.iter_rows():
            # The list is ours: blanks become None in place, and the columns left of the used range are put back.
            cells: list[Cell] = [None if c == "" else c for c in row]
            yield pad + cells if left else cells

    merges = tuple(Merge(a[0], a[1], b[0], b[1]) for a, b in sheet.merged_cell_ranges or ())
    return Sheet(name, hidden, merges, rows)


def _judge_zip(data: bytes) -> None:
    """Refuse bombs before the parser allots memory: unpacked size, lying sizes, cells far away from the rest."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if any(info.flag_bits & 1 for info in infos):
                raise BookError("encrypted")
            total = sum(info.file_size for info in infos)
            if total > MAX_UNPACKED or len(infos) > 20_000:
                raise BookError("too_big", limit_mb=MAX_UNPACKED // 1024 // 1024)
            names = {info.filename for info in infos}
            if not any(n.startswith(("xl/", "content.xml", "word/", "ppt/")) for n in names):
                raise BookError("format")
            if any(n.startswith(("word/", "ppt/")) for n in names):
                raise BookError("format")
            for info in infos:
                if info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml"):
                    _judge_sheet(archive, info)
                elif info.filename.endswith((".xml", ".bin", ".rels")):
                    with archive.open(info) as stream:
                        while stream.read(_CHUNK):
                            pass
    except BookError:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise BookError("corrupt", detail=str(error)[:200]) from error
    except Exception as error:  # zlib.error and what a forged archive may bring
        raise BookError("corrupt", detail=type(error).__name__) from error


def _judge_sheet(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Bound the dense area of a sheet from its XML. The cheap bound is exact enough unless it exceeds the limit."""
    wide, last_row = 26, 0
    with archive.open(info) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            for letters_ in set(_WIDE.findall(window)):
                wide = max(wide, _column_number(letters_))
            for number in _ROW.findall(window):
                last_row = max(last_row, int(number))
            tail = window[-400:]
    if wide > MAX_COLUMNS:
        raise BookError("too_wide", limit=MAX_COLUMNS)
    if wide * last_row <= MAX_CELLS:
        return
    columns, rows = 1, 1
    with archive.open(info) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            for letters_, number in _CELL.findall(window):
                columns = max(columns, _column_number(letters_))
                rows = max(rows, int(number))
            tail = window[-400:]
    if columns * rows > MAX_CELLS:
        raise BookError("too_big_sheet", limit=MAX_CELLS)


def _column_number(name: bytes) -> int:
    number = 0
    for byte in name:
        number = number * 26 + byte - 64
    return number
