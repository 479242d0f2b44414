"""The contents of the report's index: the cohort as a whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.draw.plots import Figure
from scarnet_cli.draw.svg import Histogram
from scarnet_cli.gather.review import ACCEPT, REJECT, REVIEWED, without_rejected
from scarnet_cli.report import methods, references, rows
from scarnet_cli.report.bullseyes import Eyes, cohort_eyes, read_segments
from scarnet_cli.report.distributions import comparisons, histograms
from scarnet_cli.report.flow import flow_figure
from scarnet_cli.report.follow_up import RepeatedVisit, VisitChanges, read_changes, repeated_visits
from scarnet_cli.report.readers import ReaderPair, read_pairs
from scarnet_cli.report.references import reference_figures
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import (
    CREATION_TIME,
    MODEL_DIGEST,
    PIPELINE_VERSION,
    read_rows,
    read_table,
    table_metadata,
)
from scarnet_cli.tables.run_tables import read_run_record

# A study that failed at these stages already had its label map.
_AFTER_SEGMENTATION: Final = frozenset({"quantify"})
_GROUP: Final = "group"
_COLUMNS: Final = frozenset({*rows.COLUMNS, *references.COLUMNS, *methods.COLUMNS, "device"})


@dataclass(frozen=True, slots=True)
class Cohort:
    """The contents of the index.

    Attributes:
        table: The review list of the measured studies.
        failures: Stage, code and failed studies of each reason, the most frequent first.
        flow: Flow of the studies, by group where any study has one.
        histograms: Distributions over the measured studies that no reader rejected.
        by_label: Heading and box plots of each label that groups the studies.
        eyes: Bull's eyes over the same studies; empty with fewer than two studies, or without segments.
        agreement: Plots against reference label maps, of the same studies; empty without any.
        visits: Changes between two visits of the same patients.
        repeated_visits: Visits with several studies.
        readers: Each two readers who drew the same studies; empty without any.
        model: Names of the models; empty without any.
        device: Devices that they ran on; empty without any.
        model_sha256: Digests of their weights.
        fast: Number of measured studies that the network saw in fast mode.
        methods: Paragraph for a paper.
        version: The pipeline's version.
        created: Time at which the tables were written.
    """

    table: rows.Table
    failures: tuple[tuple[str, str, tuple[Failure, ...]], ...]
    flow: Figure
    histograms: tuple[Histogram, ...]
    by_label: tuple[tuple[str, tuple[Figure, ...]], ...]
    eyes: tuple[Eyes, ...]
    agreement: tuple[Figure, ...]
    visits: tuple[VisitChanges, ...]
    repeated_visits: tuple[RepeatedVisit, ...]
    readers: tuple[ReaderPair, ...]
    model: str
    device: str
    model_sha256: tuple[str, ...]
    fast: int
    methods: str
    version: str
    created: str

    @property
    def measured(self) -> int:
        """Number of measured studies."""
        return len(self.table.rows)

    @property
    def failed(self) -> int:
        """Number of failed studies."""
        return sum(len(failed) for _, _, failed in self.failures)

    @property
    def found(self) -> int:
        """Number of studies that INDEX saw."""
        return self.measured + self.failed

    @property
    def segmented(self) -> int:
        """Number of studies with a label map."""
        late = (len(failed) for stage, _, failed in self.failures if stage in _AFTER_SEGMENTATION)
        return self.measured + sum(late)

    @property
    def flagged(self) -> int:
        """Number of measured studies with a flag that is not a finding."""
        return sum(bool(rows.doubts(row["flags"])) for row in self.table.rows)

    @property
    def decisions(self) -> dict[str, int]:
        """Numbers of studies that a reader accepted and rejected, by decision."""
        counts = Counter(row.get(REVIEWED) for row in self.table.rows)
        return {decision: counts[decision] for decision in (ACCEPT, REJECT)}


def read_cohort(tables: Path) -> Cohort:
    """Return the contents of the index, read from the cohort's tables.

    Raises:
        CohortError: A table is missing or unreadable.
    """
    scans = read_table(tables / "scans.parquet")
    metadata = table_metadata(scans)
    measured = scans.select([name for name in scans.schema.names if name in _COLUMNS]).to_pylist()
    trusted = without_rejected(measured)
    rejected = {row["study_id"] for row in measured if row.get(REVIEWED) == REJECT}
    by = _GROUP if any(row.get(_GROUP) is not None for row in trusted) else None
    segments = read_segments(tables / "segments.parquet")
    by_label = ((title, comparisons(trusted, name)) for name, title in ((_GROUP, "By group"), ("site", "By site")))
    failures = read_rows(Failure, tables / "failures.parquet")
    version = metadata.get(PIPELINE_VERSION, "")
    return Cohort(
        table=rows.make_table(measured, metadata.get(MODEL_DIGEST, "")),
        failures=_by_reason(failures),
        flow=flow_figure(measured, Counter((failure.stage, failure.code) for failure in failures), by),
        histograms=histograms(trusted),
        by_label=tuple((title, drawn) for title, drawn in by_label if drawn),
        eyes=tuple(eyes for eyes in cohort_eyes(segments, trusted, by) if eyes.drawings and len(trusted) > 1),
        agreement=reference_figures(trusted),
        visits=read_changes(tables, trusted),
        repeated_visits=repeated_visits(trusted),
        readers=read_pairs(tables, rejected),
        model=", ".join(sorted({row["model"] for row in measured if row["model"]})),
        device=", ".join(sorted({row["device"] for row in measured if row["device"]})),
        model_sha256=tuple(filter(None, metadata.get(MODEL_DIGEST, "").split(","))),
        fast=sum(row.get("segment_mode") == "fast" for row in measured),
        methods=methods.methods_paragraph(measured, len(failures), version, read_run_record(tables, "versions.json")),
        version=version,
        created=metadata.get(CREATION_TIME, ""),
    )


def _by_reason(failures: Sequence[Failure]) -> tuple[tuple[str, str, tuple[Failure, ...]], ...]:
    reasons: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        reasons.setdefault((failure.stage, failure.code), []).append(failure)
    by_number = sorted(reasons, key=lambda reason: (-len(reasons[reason]), reason))
    return tuple((*reason, tuple(reasons[reason])) for reason in by_number)
