"""The agreement of two readers over all studies that both drew: rows of the table `readers_summary`."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.agreement import agreement, cohens_kappa, icc_interval
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.tables.columns import schema_of
from scarnet_cli.tables.parquet import read_rows
from scarnet_cli.tables.readers import ReaderMeasures, ReadersRow, ReadersSummaryRow

_UNITS: Final = {
    field.name: field.metadata[b"unit"].decode() for field in schema_of(ReaderMeasures) if field.name != "scar_segments"
}
_SEGMENTS: Final = tuple(str(number) for number in range(1, 18))


def summarise_readers(readers: Path, rejected: Collection[str] = ()) -> list[ReadersSummaryRow]:
    """Return a row for each pair of readers and measure, from the gathered table `readers`.

    Args:
        readers: The table's path.
        rejected: Ids of studies that a reader rejected, which do not count.

    Raises:
        CohortError: The table is missing or unreadable.
    """
    rows = sorted((row for row in read_rows(ReadersRow, readers) if row.study_id not in rejected), key=_pair)
    return [row for pair, studies in groupby(rows, key=_pair) for row in _of_pair(*pair, list(studies))]


def _pair(row: ReadersRow) -> tuple[str, str]:
    return row.first_reader, row.second_reader


def _of_pair(first: str, second: str, studies: Sequence[ReadersRow]) -> Iterator[ReadersSummaryRow]:
    for measure, unit in _UNITS.items():
        pairs = [(getattr(study.first, measure), getattr(study.second, measure)) for study in studies]
        if both := [pair for pair in pairs if None not in pair]:
            yield _of_number(first, second, measure, unit, np.asarray(both, float))
    for region in ("scar", "mvo"):
        answers = [(getattr(s.first, f"{region}_ml") > 0, getattr(s.second, f"{region}_ml") > 0) for s in studies]
        yield _of_question(first, second, f"{region}_present", np.asarray(answers)[..., None])
    known = [s for s in studies if s.first.scar_segments is not None and s.second.scar_segments is not None]
    if known:
        scarred = [[_answers(s.first.scar_segments), _answers(s.second.scar_segments)] for s in known]
        yield _of_question(first, second, "scar_segments", np.asarray(scarred))
    for region in REGIONS:
        yield _of_dice(first, second, f"{region}_dice", [getattr(study, f"{region}_dice") for study in studies])


def _answers(segments: Sequence[str] | None) -> list[bool]:
    return [segment in (segments or ()) for segment in _SEGMENTS]


def _of_number(first: str, second: str, measure: str, unit: str, pairs: NDArray[np.float64]) -> ReadersSummaryRow:
    """Return the row of a number, given (n studies, 2) values."""
    agreed, interval = agreement(*pairs.T.tolist()), icc_interval(pairs)
    low, high = interval or (None, None)
    return ReadersSummaryRow(
        first,
        second,
        measure,
        unit,
        len(pairs),
        icc=agreed.icc,
        icc_low=low,
        icc_high=high,
        bias=agreed.bias,
        lower_limit=agreed.lower_limit,
        upper_limit=agreed.upper_limit,
    )


def _of_question(first: str, second: str, measure: str, answers: NDArray[np.bool_]) -> ReadersSummaryRow:
    """Return the row of a question, given (n studies, 2, questions of each) answers."""
    of_first, of_second = answers[:, 0], answers[:, 1]
    kappa = cohens_kappa(of_first, of_second)
    return ReadersSummaryRow(
        first,
        second,
        measure,
        "",
        studies=len(answers),
        agreed_percent=100.0 * float((of_first == of_second).mean()),
        kappa=kappa.value if kappa else None,
        kappa_low=kappa.low if kappa else None,
        kappa_high=kappa.high if kappa else None,
    )


def _of_dice(first: str, second: str, measure: str, values: Sequence[float]) -> ReadersSummaryRow:
    lower, median, upper = np.percentile(values, [25, 50, 75]).tolist()
    return ReadersSummaryRow(
        first,
        second,
        measure,
        "",
        studies=len(values),
        dice_mean=float(np.mean(values)),
        dice_median=median,
        dice_lower_quartile=lower,
        dice_upper_quartile=upper,
    )
