"""CSV tables that people write: every row is checked before anything runs, and every wrong one is listed at once.

Messages made here name lines and columns and quote no cell: they go into logs, and a cell may hold a name or a path.
"""

import codecs
import csv
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final, TypeVar

from scarnet_cli.errors import InputError, ScarnetError

Row = TypeVar("Row")
_Cells = dict[str, str]

# A name becomes a folder's and goes into every table.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST: Final = 64
_MOST_SHOWN: Final = 20
_SEPARATORS: Final = (",", ";", "\t")
# Excel's own first line, "sep=;", of which the separator itself is taken away when the line is split.
_EXCELS_SEPARATOR: Final = "sep="
_START: Final = 4096
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
_WORKBOOK_PARTS: Final = frozenset({"xl/workbook.xml", "xl/workbook.bin", "Index/Document.iwa"})
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip, as of .xlsx, .ods and .numbers; and .xls


@dataclass(frozen=True, slots=True)
class SheetKind:
    """What one kind of table is called and which columns it has; the first required one is different in every row."""

    noun: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def read_sheet(path: Path, kind: SheetKind, parse: Callable[[dict[str, str]], Row]) -> list[Row]:
    """Read and check a CSV table.

    Cells are separated by what the first line shows: commas, semicolons or tabs. Blank rows and blank columns without a
    name are left out, as spreadsheets add them.

    Args:
        path: The file, UTF-8, or UTF-16 with its mark.
        kind: Its name and columns.
        parse: Turns one row's cells (stripped; empty where absent) into a record, or raises a ValueError or
            ScarnetError that says all that is wrong with it.

    Raises:
        InputError: It is no CSV with these columns, has no rows, or rows are wrong; the message names every wrong row
            by its line.
    """
    lines = _read_lines(path, kind)
    rows: list[Row] = []
    wrong: list[str] = []
    first_line: dict[str, int] = {}
    for line, cells in lines:
        try:
            values = _values(cells)
            rows.append(parse(values))
        except (ValueError, ScarnetError) as error:
            wrong.append(f"line {line}: {error}")
            continue
        # File systems that ignore case would put two such names into one folder.
        name = values[kind.required[0]]
        earlier = first_line.setdefault(name.lower(), line)
        if earlier != line:
            wrong.append(f"line {line}: its {kind.required[0]} stands in line {earlier} too; each must differ")
    require_none_wrong(wrong, f"{len(lines)} rows", f"the {kind.noun}'s")
    return rows


def require_none_wrong(wrong: Sequence[str], total: str, whose: str) -> None:
    """Raise an InputError that lists everything wrong, where there is anything: "3 of the samplesheet's 8 rows …"."""
    if wrong:
        more = f"\n  and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        listed = "\n  ".join(wrong[:_MOST_SHOWN])
        message = f"{len(wrong)} of {whose} {total} are wrong:\n  {listed}{more}"
        raise InputError("bad_samplesheet", message)


def problem_of_name(column: str, name: str) -> str | None:
    """Return what is wrong with a name, or None."""
    if _NAME.fullmatch(name) and ".." not in name:
        return None
    return f"{column} is no name: a letter or digit, then up to 63 of those and '.', '_', '-'"


def problem_of_label(column: str, text: str) -> str | None:
    """Return what is wrong with a label, or None: any short text will do that is no path and can be printed."""
    if len(text) <= _LONGEST and text.isprintable() and not {"/", "\\"} & set(text):
        return None
    return f"{column} is no label: up to {_LONGEST} characters that can be printed, no '/' and no '\\'"


def _read_lines(path: Path, kind: SheetKind) -> list[tuple[int, _Cells]]:
    """Return the rows with their line: cells by column, and what else they hold under the key ""."""
    encoding = _encoding(path, kind)
    try:
        with path.open(newline="", encoding=encoding) as file:
            reader = csv.reader(file, strict=True, delimiter=_separator(path, encoding))
            rows = ([cell.strip() for cell in row] for row in reader)
            filled = ((reader.line_num, row) for row in rows if any(row) and "".join(row) != _EXCELS_SEPARATOR)
            _, names = next(filled, (0, []))
            _require_columns(names, kind)
            lines = [(line, _by_column(names, row)) for line, row in filled]
    except (csv.Error, UnicodeError) as error:
        message = f"The {kind.noun} is no CSV file in UTF-8 ({error}); save it again as CSV in UTF-8."
        raise InputError("bad_samplesheet", message) from error
    if not lines:
        message = f"The {kind.noun} has no rows; add one line for each {kind.required[0]}."
        raise InputError("bad_samplesheet", message)
    return lines


def _by_column(names: Sequence[str], row: Sequence[str]) -> _Cells:
    pairs = list(zip_longest(names, row, fillvalue=""))
    nameless = "".join(cell for name, cell in pairs if not name)
    return {name: cell for name, cell in pairs if name} | {"": nameless}


def _encoding(path: Path, kind: SheetKind) -> str:
    """Return how a table's text is stored, by its first bytes: UTF-8, or UTF-16 with its mark, as Excel writes it.

    Raises:
        InputError: It is a workbook.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_WORKBOOKS):
        message = f"The {kind.noun} is a workbook of Excel, Numbers or the like; save it as CSV and give that."
        raise InputError("bad_samplesheet", message)
    return "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"


def is_workbook(path: Path) -> bool:
    """Tell whether a file is a workbook: by its name, or by what a zip archive holds."""
    if path.suffix.lower() in _WORKBOOK_SUFFIXES:
        return True
    with path.open("rb") as file:
        if not file.read(4).startswith(_WORKBOOKS[0]):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not _WORKBOOK_PARTS.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, ValueError, LookupError, struct.error, NotImplementedError):
        return False


def is_text(path: Path) -> bool:
    """Tell by its first bytes whether a file may be a table of text."""
    with path.open("rb") as file:
        start = file.read(_START)
    return start.startswith((*_WORKBOOKS, *_UTF_16)) or b"\0" not in start


def _separator(path: Path, encoding: str) -> str:
    """Return what separates a table's cells: of commas, semicolons and tabs the one that the first line has most of."""
    with path.open(newline="", encoding=encoding) as file:
        first = next((line for line in file if line.strip(" ,;\t\r\n")), "")
    return max(_SEPARATORS, key=first.count)


def _require_columns(found: Sequence[str], kind: SheetKind) -> None:
    names = [name for name in found if name]
    missing = [name for name in kind.required if name not in names]
    unknown = [name for name in names if name not in (*kind.required, *kind.optional)]
    if missing or unknown or len(set(names)) != len(names):
        more = f" and may have {', '.join(kind.optional)}" if kind.optional else ""
        odd = ", ".join(str(number) for number, name in enumerate(names, start=1) if name in unknown)
        message = (
            f"The {kind.noun}'s first line is wrong: it needs the columns {', '.join(kind.required)}{more}, each once"
            f"{f'; it has others (number {odd})' if odd else ''}."
        )
        raise InputError("bad_samplesheet", message)


def _values(cells: _Cells) -> dict[str, str]:
    """Return a row's cells by column; what stands beyond the columns that have a name is an error."""
    if cells[""]:
        message = "it has more cells than the first line has columns; quote cells that hold a comma"
        raise ValueError(message)
    return {name: cell for name, cell in cells.items() if name}
