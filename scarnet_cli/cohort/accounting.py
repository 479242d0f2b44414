"""The accounting check: every study that INDEX saw ends in exactly one row of `scans` or `failures`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from scarnet_cli.cohort.fragments import Fragment, with_table
from scarnet_cli.errors import CohortError

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


def check_accounting(fragments: Sequence[Fragment]) -> Accounting:
    """Check that each study of `studies` is in exactly one row of `scans` or `failures`, and no other study is.

    A study that failed in two stages is an error as well: a stage hands on only what it finished, so a second failure
    means that fragments of different runs were mixed.

    Raises:
        CohortError: Studies are missing, unknown or there twice; the message names each, and the fragments.
    """
    if not with_table(fragments, "studies"):
        message = "No fragment has studies.parquet; give the output directory of `scarnet index` as well."
        raise CohortError("no_index", message)
    problems: list[str] = []
    seen = _places(fragments, ("studies",), problems)
    ended = _places(fragments, ("scans", "failures"), problems)
    problems += _named("lost: in no scans or failures table", sorted(set(seen) - set(ended)))
    unknown = sorted(set(ended) - set(seen))
    problems += _named("unknown: not seen by index", [f"{study} ({ended[study]})" for study in unknown])
    problems += _named("with slices or segments but no scan in the same fragment", sorted(_orphans(fragments)))
    if problems:
        message = "The accounting of studies does not add up; no table was written.\n" + "\n".join(problems)
        message += "\nRun again into a new work directory; if it stays, report it as a bug."
        raise CohortError("accounting", message)
    return _totals(fragments, len(seen))


def _places(fragments: Sequence[Fragment], tables: Sequence[str], problems: list[str]) -> dict[str, str]:
    """Return where each study is; add those found twice to `problems`, with both places."""
    places: dict[str, str] = {}
    twice: list[str] = []
    for table in tables:
        for fragment in with_table(fragments, table):
            rows = fragment.read(table, "study_id", *(("stage",) if table == "failures" else ()))
            stages = rows["stage"].to_pylist() if table == "failures" else [""] * rows.num_rows
            for study, stage in zip(rows["study_id"].to_pylist(), stages, strict=True):
                place = f"{table} of {fragment.name}" + (f", stage {stage}" if stage else "")
                if study in places:
                    twice.append(f"{study} ({places[study]}; {place})")
                places.setdefault(study, place)
    problems += _named("there twice", sorted(twice))
    return places


def _orphans(fragments: Sequence[Fragment]) -> Iterable[str]:
    for fragment in fragments:
        scans = _studies(fragment, "scans") if fragment.has("scans") else set()
        for table in ("slices", "segments"):
            if fragment.has(table):
                strays = _studies(fragment, table) - scans
                yield from (f"{study} ({table} of {fragment.name})" for study in strays)


def _studies(fragment: Fragment, table: str) -> set[str]:
    return set(fragment.read(table, "study_id")["study_id"].unique().to_pylist())


def _totals(fragments: Sequence[Fragment], studies: int) -> Accounting:
    scans = failures = 0
    digests: set[str] = set()
    for fragment in with_table(fragments, "scans"):
        rows = fragment.read("scans", "model_sha256")
        scans += rows.num_rows
        digests |= {digest for digest in rows["model_sha256"].unique().to_pylist() if digest}
    for fragment in with_table(fragments, "failures"):
        failures += fragment.read("failures", "study_id").num_rows
    return Accounting(studies, scans, failures, ",".join(sorted(digests)))


def _named(what: str, studies: Sequence[str]) -> list[str]:
    if not studies:
        return []
    more = f" and {len(studies) - _NAMED} more" if len(studies) > _NAMED else ""
    return [f"{len(studies)} {what}: {', '.join(studies[:_NAMED])}{more}"]
