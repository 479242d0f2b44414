"""One study's page: its table rows as text and numbers for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from markupsafe import Markup

from scarnet_cli.draw.svg import draw_bullseye
from scarnet_cli.draw.text import SEGMENT_NAMES, code_text, count_text, number_text, plain_column, signed_text, unit_of
from scarnet_cli.gather.review import REVIEWED
from scarnet_cli.report.measures import (
    COMPARED,
    GROUPS,
    HEADER,
    HEADER_TEXTS,
    INDEXED,
    LABELS,
    METHODS,
    NETWORK,
    OVERLAPS,
    Row,
    ShownMeasure,
    other_columns,
    shown,
)
from scarnet_cli.tables.columns import labels_of
from scarnet_cli.tables.flags import FLAGS, is_finding
from scarnet_cli.tables.schema import TABLES
from scarnet_cli.tables.segments import SegmentRow

# Columns of segments with a bull's eye, and its title.
_EYES: Final = {"scar_percent": "Scar", "transmurality": "Transmurality"}
_SEGMENT_LABELS: Final = labels_of(SegmentRow)
_DECISIONS: Final = {"accept": "Accepted by a reader", "reject": "Rejected by a reader"}


@dataclass(frozen=True, slots=True)
class Notice:
    """The text of a flag: its phrase, meaning and action; the last two are empty for a code without an entry."""

    words: str
    meaning: str
    action: str
    is_finding: bool


@dataclass(frozen=True, slots=True)
class ReferenceComparison:
    """One measure compared with the reference's."""

    ours: ShownMeasure
    reference: str
    difference: str


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """The AHA segments as a table: number and name of each, and rows of a measure and its numbers."""

    headings: tuple[tuple[int, str], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Study:
    """The contents of a measured study's page.

    Attributes:
        study_id: The study.
        origin: Manufacturer and stack in one line.
        labels: Patient, visit, group and site, texts of the header, and the user's own columns, where known.
        notices: Its flags, findings last.
        methods: Scar percentage by each method.
        eyes: Title and drawing of each bull's eye; empty without segments.
        segments: The segments' measures as a table; None without segments.
        groups: All other numbers under their headings.
        against: Measures compared with the reference's, if there is one.
        overlaps: Overlap with the reference and distance from it, if there is one.
        series: Rows of the table series: which one was measured and why.
        decision: Text of a reader's decision; empty without one.
        made_by: Pipeline and model in one line.
    """

    study_id: str
    origin: str
    labels: tuple[tuple[str, str], ...]
    notices: tuple[Notice, ...]
    methods: tuple[ShownMeasure, ...]
    eyes: tuple[tuple[str, Markup], ...]
    segments: SegmentTable | None
    groups: tuple[tuple[str, tuple[ShownMeasure, ...]], ...]
    against: tuple[ReferenceComparison, ...]
    overlaps: tuple[ShownMeasure, ...]
    series: tuple[Row, ...]
    decision: str
    made_by: str


def describe_study(row: Row, segments: Sequence[Row], series: Sequence[Row]) -> Study:
    """Return the contents of a study's page, given its rows of scans, segments and series."""
    indexed, header, network = (
        {name: label for name, label in columns.items() if row.get(name) is not None}
        for columns in (INDEXED, HEADER, NETWORK)
    )
    groups = (
        *GROUPS.items(),
        ("By body surface", indexed),
        ("Patient and images", header),
        ("Of the network's label map", network),
        ("Other measures", other_columns(row)),
    )
    own = {name: name for name in row if name not in TABLES["scans"].names}
    texts = LABELS | HEADER_TEXTS | own
    return Study(
        study_id=row["study_id"],
        origin=_origin(row),
        labels=tuple((title, str(row[name])) for name, title in texts.items() if row.get(name) is not None),
        notices=tuple(sorted(map(_notice, row["flags"]), key=lambda notice: notice.is_finding)),
        methods=tuple(shown(row, column, label, 1) for column, label in METHODS.items()),
        eyes=_eyes(segments),
        segments=_segment_table(segments),
        groups=tuple(
            (title, tuple(shown(row, column, label) for column, label in columns.items()))
            for title, columns in groups
            if columns
        ),
        against=tuple(_against(row, *names) for names in COMPARED if row.get(names[1]) is not None),
        overlaps=tuple(shown(row, name, label) for name, label in OVERLAPS.items() if row.get(name) is not None),
        series=tuple(series),
        decision=_DECISIONS.get(row.get(REVIEWED) or "", ""),
        made_by=_made_by(row),
    )


def _origin(row: Row) -> str:
    spacing, distance = number_text(row["spacing_mm"], 2), number_text(row["slice_spacing_mm"], 1)
    stack = f"{count_text(row['slices'], 'slice')}, {spacing} mm in plane, {distance} mm apart" if row["slices"] else ""
    scanner = " ".join(filter(None, [row["manufacturer"], row.get("scanner_model")]))
    return " · ".join(filter(None, [scanner, stack]))


def _made_by(row: Row) -> str:
    model = f"model {row['model']}, weights SHA-256 {(row['model_sha256'] or '')[:12]}" if row["model"] else ""
    return "; ".join(filter(None, [f"ScarNet pipeline {row['pipeline_version'] or ''}".strip(), model]))


def _notice(code: str) -> Notice:
    flag = FLAGS.get(code)
    return Notice(
        code_text(code), flag.meaning if flag else "", flag.action if flag else "", is_finding=is_finding(code)
    )


def _against(row: Row, ours: str, reference: str, label: str) -> ReferenceComparison:
    measure = shown(row, ours, label, 1)
    difference = None if measure.value is None else measure.value - row[reference]
    return ReferenceComparison(measure, number_text(row[reference]), signed_text(difference))


def _eyes(segments: Sequence[Row]) -> tuple[tuple[str, Markup], ...]:
    if not segments:
        return ()
    by_number = {row["segment"]: row for row in segments}
    numbers = range(1, len(SEGMENT_NAMES) + 1)
    return tuple(
        (title, draw_bullseye(f"{title} by AHA segment", [by_number.get(n, {}).get(column) for n in numbers]))
        for column, title in _EYES.items()
    )


def _segment_table(segments: Sequence[Row]) -> SegmentTable | None:
    if not segments:
        return None
    fields = [
        field
        for field in TABLES["segments"]
        if pa.types.is_floating(field.type) and any(row.get(field.name) is not None for row in segments)
    ]
    in_order = sorted(segments, key=lambda row: row["segment"])
    return SegmentTable(
        headings=tuple((row["segment"], SEGMENT_NAMES[row["segment"] - 1]) for row in in_order),
        rows=tuple(
            (
                ", ".join(filter(None, [_SEGMENT_LABELS.get(field.name) or plain_column(field), unit_of(field)])),
                tuple(number_text(row.get(field.name)) for row in in_order),
            )
            for field in fields
        ),
    )
