"""The index's table: one short row per study, worst first, in the form that the page's script reads."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from scarnet_cli.draw.text import code_text
from scarnet_cli.gather.review import REVIEWED
from scarnet_cli.report.measures import LABELS, TABLE_COLUMNS, Row, ShownMeasure, meaning_text, shown, unit_text
from scarnet_cli.tables.flags import is_finding

# Columns of scans that the index uses; an older table may lack some.
COLUMNS: Final = ("study_id", *LABELS, "manufacturer", *(name for name, _, _ in TABLE_COLUMNS), "flags", REVIEWED)
_POSITIONS: Final = {column: position for position, (column, _, _) in enumerate(TABLE_COLUMNS)}
_FILTERED: Final = {"scar": "scar_percent_lv", "mvo": "mvo_percent_lv"}  # columns that the page's filter uses
_UNSURE: Final = 2.0  # sorts after every confidence: label maps that users supply have none, and are not doubted
_SIGNIFICANT: Final = 4  # significant digits of a number in the page; its cell shows fewer


@dataclass(frozen=True, slots=True)
class Table:
    """The studies of the review list.

    Attributes:
        rows: Rows of scans, in the order in which a reader should look at them.
        labels: Columns of `LABELS` that any study has, with their headings.
        flags: Codes that any study has, the most frequent first, with their number of studies.
        cohort: Key of this cohort and its models, under which the browser keeps a reader's decisions.
    """

    rows: tuple[Row, ...]
    labels: Mapping[str, str]
    flags: Mapping[str, int]
    cohort: str

    @property
    def headings(self) -> list[tuple[str, str, str]]:
        """Label, unit and meaning of each column of numbers."""
        return [(label, unit_text(column), meaning_text(column)) for column, label, _ in TABLE_COLUMNS]

    def values(self, column: str) -> list[str]:
        """Return the distinct values of a text column, sorted."""
        return sorted({row[column] for row in self.rows if row.get(column) is not None})

    def cells(self, row: Row) -> list[ShownMeasure]:
        """Return the numbers of a row."""
        return [shown(row, column, label, digits) for column, label, digits in TABLE_COLUMNS]

    def for_script(self) -> dict[str, Any]:
        """Return the data for the page's script: plain values without markup, which the page escapes as a whole."""
        code_positions = {code: position for position, code in enumerate(self.flags)}
        return {
            "cohort": self.cohort,
            "digits": [digits for _, _, digits in TABLE_COLUMNS],
            **{name: _POSITIONS[column] for name, column in _FILTERED.items()},
            "flags": [[code_text(code), int(is_finding(code))] for code in self.flags],
            "rows": [self._short(row, code_positions) for row in self.rows],
        }

    def _short(self, row: Row, code_positions: Mapping[str, int]) -> list[Any]:
        return [
            row["study_id"],
            row.get("manufacturer"),
            [row.get(label) for label in self.labels],
            [_rounded(row.get(column)) for column, _, _ in TABLE_COLUMNS],
            [code_positions[code] for code in row["flags"]],
            row.get(REVIEWED),
        ]


def make_table(scans: Iterable[Row], models: str) -> Table:
    """Return the review list.

    Args:
        scans: Rows with those columns of `COLUMNS` that the table has.
        models: Digests of the models; labels of other models need new decisions.
    """
    rows = tuple(sorted(scans, key=_review_order))
    counts: dict[str, int] = {}
    for row in rows:
        for code in row["flags"]:
            counts[code] = counts.get(code, 0) + 1
    ids = "\n".join([models, *sorted(row["study_id"] for row in rows)])
    return Table(
        rows=rows,
        labels={name: title for name, title in LABELS.items() if any(row.get(name) is not None for row in rows)},
        flags=dict(sorted(counts.items(), key=lambda item: (is_finding(item[0]), -item[1], item[0]))),
        cohort=hashlib.sha256(ids.encode()).hexdigest()[:16],
    )


def doubts(codes: Sequence[str]) -> list[str]:
    """Return the flags that are not findings."""
    return [code for code in codes if not is_finding(code)]


def address(study_id: str) -> str:
    """Return the address of a study's page, relative to the index."""
    return f"studies/{quote(study_id, safe='')}.html"


def _review_order(row: Row) -> tuple[bool, int, float, str]:
    """Return the sort key of a row: first where scar is uncertain, then most doubts, then lowest confidence."""
    confidence = row.get("confidence")
    unsure = _UNSURE if confidence is None else confidence
    return "scar_uncertain" not in row["flags"], -len(doubts(row["flags"])), unsure, row["study_id"]


def _rounded(value: float | None) -> float | None:
    """Round a number to significant digits, so that a small one does not become zero."""
    return value if value is None or isinstance(value, int) else float(f"{value:.{_SIGNIFICANT}g}")
