"""CSV tables that people write: every row is checked before anything runs, and every wrong one is listed at once.

Messages made here name lines and columns and quote no cell: they go into logs, and a cell may hold a name or a path.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from scarnet_cli.errors import InputError, ScarnetError

Row = TypeVar("Row")

# A name becomes a folder's and goes into every table.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST: Final = 64
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class SheetKind:
    """What one kind of table is called and which columns it has; the first required one is different in every row."""

    noun: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


def read_sheet(path: Path, kind: SheetKind, parse: Callable[[dict[str, str]], Row]) -> list[Row]:
    """Read and check a CSV table.

    Args:
        path: The file, UTF-8.
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


def _read_lines(path: Path, kind: SheetKind) -> list[tuple[int, dict[str, str | None]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            _require_columns(reader.fieldnames, kind)
            lines = [(reader.line_num, row) for row in reader if any(_cells(row))]
    except (csv.Error, UnicodeDecodeError) as error:
        message = f"The {kind.noun} is no CSV file in UTF-8 ({error}); save it again as CSV."
        raise InputError("bad_samplesheet", message) from error
    if not lines:
        message = f"The {kind.noun} has no rows; add one line for each {kind.required[0]}."
        raise InputError("bad_samplesheet", message)
    return lines


def _cells(row: Mapping[str, object]) -> Iterable[object]:
    return (str(value).strip() for value in row.values() if value is not None)


def _require_columns(found: Iterable[str] | None, kind: SheetKind) -> None:
    names = [name.strip() for name in found or ()]
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


def _values(cells: dict[str, str | None]) -> dict[str, str]:
    if None in cells:
        message = "it has more cells than the first line has columns; quote cells that hold a comma"
        raise ValueError(message)
    return {key.strip(): (value or "").strip() for key, value in cells.items()}
