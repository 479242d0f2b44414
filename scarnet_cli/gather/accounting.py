"""The accounting check: every study that INDEX saw ends in exactly one row of `scans` or `failures`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scarnet_cli.errors import CohortError
from scarnet_cli.gather.survey import Survey

# A message names this many studies of each kind, so that it can still be read when a whole batch is lost.
_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Accounting:
    """How the cohort's studies ended.

    Attributes:
        studies: Studies that INDEX saw.
        scans: Those measured.
        failures: Those that failed, at whatever stage; the sum of both is `studies`.
        model_sha256: Digests of the weights that measured them, sorted and joined with commas; empty without any.
    """

    studies: int
    scans: int
    failures: int
    model_sha256: str


def check_accounting(survey: Survey) -> Accounting:
    """Check that each study of `studies` is in exactly one row of `scans` or `failures`, and no other study is.

    A study that failed in two stages is an error as well: a stage hands on only what it finished, so a second failure
    means that fragments of different runs were mixed.

    Raises:
        CohortError: Studies are missing, unknown or there twice; the message names each, and the fragments.
    """
    if not any("studies" in fragment.tables for fragment in survey.fragments):
        message = "No fragment has studies.parquet; give the output directory of `scarnet index` as well."
        raise CohortError("no_index", message)
    scans, failures = survey.ids["scans"], survey.ids["failures"]
    seen, ended = survey.ids["studies"], pa.chunked_array([*scans.chunks, *failures.chunks], pa.string())
    problems = _named("there twice", _placed(_repeated(seen), survey, ("studies",)))
    problems += _named("there twice", _placed(_repeated(ended), survey, ("scans", "failures")))
    problems += _named("lost: in no scans or failures table", _without(seen, ended))
    problems += _named("unknown: not seen by index", _placed(_without(ended, seen), survey, ("scans", "failures")))
    problems += _named("with slices or segments but no scan in the same fragment", survey.orphans)
    if problems:
        message = "The accounting of studies does not add up; no table was written.\n" + "\n".join(problems)
        message += "\nRun again into a new work directory; if it stays, report it as a bug."
        raise CohortError("accounting", message)
    return Accounting(len(seen), len(scans), len(failures), survey.model_sha256)


def _repeated(ids: pa.ChunkedArray) -> list[str]:
    counts = ids.value_counts()
    more = pc.call_function("greater", [counts.field("counts"), pa.scalar(1)])
    return sorted(counts.field("values").filter(more).to_pylist())


def _without(ids: pa.ChunkedArray, others: pa.ChunkedArray) -> list[str]:
    found = pc.call_function("is_in", [ids], pc.SetLookupOptions(value_set=others))
    return sorted(set(ids.filter(pc.call_function("invert", [found])).to_pylist()))


def _placed(studies: Sequence[str], survey: Survey, tables: Sequence[str]) -> list[str]:
    """Return the studies with every place where the tables have them: "a (scans of x; failures of y, stage crop)"."""
    places: dict[str, list[str]] = {study: [] for study in studies}
    for table in tables if studies else ():
        for fragment in survey.fragments:
            if table not in fragment.tables:
                continue
            for study, stage in _rows(fragment.parts(table, "study_id", *(("stage",) if table == "failures" else ()))):
                if study in places:
                    places[study].append(f"{table} of {fragment.name}" + (f", stage {stage}" if stage else ""))
    return [f"{study} ({'; '.join(where)})" for study, where in places.items()]


def _rows(parts: Iterable[pa.Table]) -> Iterable[tuple[str, str]]:
    for part in parts:
        stages = part["stage"].to_pylist() if "stage" in part.column_names else [""] * part.num_rows
        yield from zip(part["study_id"].to_pylist(), stages, strict=True)


def _named(what: str, studies: Sequence[str]) -> list[str]:
    if not studies:
        return []
    more = f" and {len(studies) - _NAMED} more" if len(studies) > _NAMED else ""
    return [f"{len(studies)} {what}: {', '.join(studies[:_NAMED])}{more}"]
