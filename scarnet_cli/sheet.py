"""Read CSV tables that people write: check every row before anything runs, and list all wrong rows at once.

Messages name lines and columns but quote no cell: they go into logs, and a cell may hold a name or a path.
"""

import codecs
import csv
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeVar

from scarnet_cli.buckets.place import Place
from scarnet_cli.errors import InputError, ScarnetError

Row = TypeVar("Row")
_Cells = dict[str, str]

# A name becomes a folder name and goes into every table.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST: Final = 64
_MOST_SHOWN: Final = 20
# How R, pandas, SQL and Excel write that there is no value.
MISSING: Final = frozenset({"na", "n/a", "nan", "null", "#n/a"})
# So Excel saves a number of twelve digits or more: several patients become one.
_SHORTENED: Final = re.compile(r"\d([.,]\d+)?E\+\d+")
_SEPARATORS: Final = (",", ";", "\t")
# Excel may write "sep=;" as the first line; splitting that line removes the separator itself.
_EXCELS_SEPARATOR: Final = "sep="
_START: Final = 4096
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
_WORKBOOK_PARTS: Final = frozenset({"xl/workbook.xml", "xl/workbook.bin", "Index/Document.iwa"})
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip (.xlsx, .ods, .numbers), and .xls


@dataclass(frozen=True, slots=True)
class SheetKind:
    """The name and columns of one kind of table; values of the first required column must be unique.

    Attributes:
        noun: What messages call it.
        required: Columns that it needs.
        optional: Columns that it may have.
        problem_of_other: Returns what is wrong with the name of another column, or None; without it there is no other.
    """

    noun: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    problem_of_other: Callable[[str], str | None] | None = None

    def others(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the cells of a row's other columns."""
        return {name: cell for name, cell in values.items() if name not in (*self.required, *self.optional)}


def read_sheet(path: Place, kind: SheetKind, parse: Callable[[dict[str, str]], Row]) -> list[Row]:
    """Read and check a CSV table.

    The first line decides the separator: commas, semicolons or tabs. Blank rows and blank columns without a name, which
    spreadsheets add, are skipped. The kind's own columns may have capital letters.

    Args:
        path: The file, in UTF-8, or in UTF-16 with a byte order mark.
        kind: The table's name and columns.
        parse: Turns one row's cells (stripped; empty if absent) into a record, or raises a ValueError or ScarnetError
            that says everything that is wrong with the row.

    Raises:
        InputError: The file is not a CSV with these columns, has no rows, or has wrong rows; the message gives the
            line of each wrong row.
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
        # Case is ignored: some file systems would put names that differ only in case into one folder.
        name = values[kind.required[0]]
        earlier = first_line.setdefault(name.lower(), line)
        if earlier != line:
            wrong.append(f"line {line}: its {kind.required[0]} stands in line {earlier} too; each must differ")
    require_none_wrong(wrong, f"{len(lines)} rows", f"the {kind.noun}'s")
    return rows


def require_none_wrong(wrong: Sequence[str], total: str, whose: str) -> None:
    """Raise an InputError that lists everything in `wrong`, if anything: "3 of the samplesheet's 8 rows …"."""
    if wrong:
        more = f"\n  and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        listed = "\n  ".join(wrong[:_MOST_SHOWN])
        message = f"{len(wrong)} of {whose} {total} are wrong:\n  {listed}{more}"
        raise InputError("bad_samplesheet", message)


def problem_of_name(column: str, name: str) -> str | None:
    """Return what is wrong with a name, or None."""
    if _NAME.fullmatch(name) and ".." not in name:
        return None
    return f"{column} is not a valid name: a letter or digit, then up to 63 of those and '.', '_', '-'"


def problem_of_label(column: str, text: str) -> str | None:
    """Return what is wrong with a label, or None. Any short printable text that is not a path is a label.

    A patient's may not be a number that a spreadsheet cut short: those of other patients look the same.
    """
    if column == "patient" and _SHORTENED.fullmatch(text):
        return f"{column} is a number that a spreadsheet cut short, like 1.23E+11; make its column text there"
    if len(text) <= _LONGEST and text.isprintable() and not {"/", "\\"} & set(text):
        return None
    return f"{column} is not a valid label: up to {_LONGEST} characters that can be printed, no '/' and no '\\'"


def _read_lines(path: Place, kind: SheetKind) -> list[tuple[int, _Cells]]:
    """Return line number and cells by column of each row; the key "" holds the text of cells without a column."""
    encoding = _encoding(path, kind)
    try:
        with path.open(newline="", encoding=encoding) as file:
            reader = csv.reader(file, strict=True, delimiter=_separator(path, encoding))
            rows = ([cell.strip() for cell in row] for row in reader)
            filled = ((reader.line_num, row) for row in rows if any(row) and "".join(row) != _EXCELS_SEPARATOR)
            _, first = next(filled, (0, []))
            own = {name.lower(): name for name in (*kind.required, *kind.optional)}
            names = [own.get(name.lower(), name) for name in first]
            _require_columns(names, kind)
            lines = [(line, _by_column(names, row)) for line, row in filled]
    except (csv.Error, UnicodeError) as error:
        message = f"The {kind.noun} is not a CSV file in UTF-8 ({error}); save it again as CSV in UTF-8."
        raise InputError("bad_samplesheet", message) from error
    if not lines:
        message = f"The {kind.noun} has no rows; add one line for each {kind.required[0]}."
        raise InputError("bad_samplesheet", message)
    return lines


def _by_column(names: Sequence[str], row: Sequence[str]) -> _Cells:
    pairs = list(zip_longest(names, row, fillvalue=""))
    nameless = "".join(cell for name, cell in pairs if not name)
    return {name: cell for name, cell in pairs if name} | {"": nameless}


def _encoding(path: Place, kind: SheetKind) -> str:
    """Return a table's encoding by its first bytes: UTF-8, or UTF-16 with a byte order mark, as Excel writes it.

    Raises:
        InputError: The file is a workbook.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_WORKBOOKS):
        message = f"The {kind.noun} is a workbook of Excel, Numbers or the like; save it as CSV and give that."
        raise InputError("bad_samplesheet", message)
    return "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"


def is_workbook(path: Place) -> bool:
    """Tell whether a file is a workbook, by its name or, if it is a zip archive, by its members."""
    if path.suffix.lower() in _WORKBOOK_SUFFIXES:
        return True
    with path.open("rb") as file:
        if not file.read(4).startswith(_WORKBOOKS[0]):
            return False
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return not _WORKBOOK_PARTS.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, ValueError, LookupError, struct.error, NotImplementedError):
        return False


def is_text(path: Place) -> bool:
    """Tell by its first bytes whether a file may be a text table; a workbook counts as one."""
    with path.open("rb") as file:
        start = file.read(_START)
    return start.startswith((*_WORKBOOKS, *_UTF_16)) or b"\0" not in start


def _separator(path: Place, encoding: str) -> str:
    """Return a table's separator: comma, semicolon or tab, whichever is most frequent in the first line."""
    with path.open(newline="", encoding=encoding) as file:
        first = next((line for line in file if line.strip(" ,;\t\r\n")), "")
    return max(_SEPARATORS, key=first.count)


def _require_columns(found: Sequence[str], kind: SheetKind) -> None:
    names = [name for name in found if name]
    missing = [name for name in kind.required if name not in names]
    unknown = [name for name in names if name not in (*kind.required, *kind.optional)]
    wrong = bool(unknown) and kind.problem_of_other is None
    if missing or wrong or len(set(names)) != len(names):
        more = f" and may have {', '.join(kind.optional)}" if kind.optional else ""
        more += " and columns of your own" if kind.problem_of_other else ""
        unknown = unknown if wrong else []
        odd = ", ".join(str(number) for number, name in enumerate(names, start=1) if name in unknown)
        message = (
            f"The {kind.noun}'s first line is wrong: it needs the columns {', '.join(kind.required)}{more}, each once"
            f"{f'; it has others (number {odd})' if odd else ''}."
        )
        raise InputError("bad_samplesheet", message)
    if problems := [f"column {number}: {problem}" for number, problem in _problems_of_others(names, kind)]:
        message = f"The {kind.noun}'s first line is wrong:\n  " + "\n  ".join(problems)
        raise InputError("bad_samplesheet", message)


def _problems_of_others(names: Sequence[str], kind: SheetKind) -> Iterator[tuple[int, str]]:
    """Yield number and problem of each column that is not the kind's own. A database ignores the case of names."""
    earlier: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        first = earlier.setdefault(name.lower(), number)
        if name in (*kind.required, *kind.optional) or kind.problem_of_other is None:
            continue
        if first != number:
            yield number, f"it differs from column {first} in capital letters alone; give it another name"
        elif problem := kind.problem_of_other(name):
            yield number, problem


def _values(cells: _Cells) -> dict[str, str]:
    """Return a row's cells by column.

    Raises:
        ValueError: A cell without a named column is not empty.
    """
    if cells[""]:
        message = "it has more cells than the first line has columns; quote cells that hold the separator"
        raise ValueError(message)
    return {name: cell for name, cell in cells.items() if name}
