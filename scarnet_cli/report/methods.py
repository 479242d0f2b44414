"""The methods paragraph of a paper: what was really used, as the tables say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scarnet_cli.draw.text import count_text
from scarnet_cli.gather.review import without_rejected
from scarnet_cli.report.measures import Row
from scarnet_cli.stage.records import COMMAND
from scarnet_cli.tables.scans import LABELLED_BY

# Columns of scans that the paragraph is made of.
COLUMNS: Final = (*LABELLED_BY, "labels_source", "half_of", "reviewed", "pipeline_version")
_DIGITS: Final = 12  # of a digest; its first digits tell weights apart
_SOURCES: Final = {"corrected": "corrected by a reader", "given": "given with the study"}
_PAPER: Final = (
    "after Tavakoli N. et al., \N{LEFT DOUBLE QUOTATION MARK}ScarNet: A Novel Foundation Model for Automated "
    "Myocardial Scar Quantification from LGE in Cardiac MRI\N{RIGHT DOUBLE QUOTATION MARK}, Journal of Cardiovascular "
    "Magnetic Resonance 2025, doi:10.1016/j.jocmr.2025.101945"
)


def methods_paragraph(measured: Sequence[Row], failures: int, version: str, software: Mapping[str, Any]) -> str:
    """Return the paragraph.

    Args:
        measured: Rows of scans, with those of `COLUMNS` that the table has.
        failures: Number of studies that could not be measured.
        version: The pipeline's version.
        software: Name -> version of what it ran with, as versions.json has it; empty where that is not known.
    """
    sentences = [
        f"Scar was segmented and measured in late gadolinium enhancement (LGE) with ScarNet pipeline "
        f"{_versions(measured, version)} ({_PAPER})."
    ]
    labelled = [row for row in measured if row.get("model") is not None]
    ours = [row for row in labelled if row.get("segment_mode") != COMMAND]
    if ours:
        sentences += _network(ours, len(measured))
    sentences += _commands([row for row in labelled if row.get("segment_mode") == COMMAND], len(measured))
    sentences += _given(measured)
    sentences += _measures(measured)
    sentences.append(_counts(measured, failures))
    if libraries := [f"{name} {software[name]}" for name in software if name != "scarnet" and software[name]]:
        sentences.append(f"Software: {', '.join(libraries)}.")
    return " ".join(sentences)


def _versions(measured: Sequence[Row], version: str) -> str:
    versions = sorted({row["pipeline_version"] for row in measured if row.get("pipeline_version")})
    return " and ".join(versions) or version or "of unknown version"


def _network(labelled: Sequence[Row], of: int) -> Iterator[str]:
    """Yield what is to be said of the network: where it looked, what it is, how it was run, what it calls scar."""
    localisers = {row.get("localiser_sha256") for row in labelled} - {None}
    if localisers:
        yield f"A network located the heart and each stack was cropped round it ({_digests(localisers)})."
    models = " and ".join(sorted({row["model"] for row in labelled}))
    weights = _digests({row.get("model_sha256") for row in labelled} - {None})
    studies = "" if len(labelled) == of else f" of {count_text(len(labelled), 'study', 'studies')}"
    yield (
        f"The network {models} ({weights}) labelled blood pool, myocardium, scar and microvascular obstruction (MVO) "
        f"in the short-axis slices{studies}, {_mode(labelled)}."
    )
    if thresholds := list(_thresholds(labelled)):
        yield f"{'; '.join(thresholds)}."


def _commands(labelled: Sequence[Row], of: int) -> Iterator[str]:
    """Yield what is to be said of other networks, which commands ran."""
    for model, number in sorted(Counter(row["model"] for row in labelled).items()):
        studies = "" if number == of else f" of {count_text(number, 'study', 'studies')}"
        yield (
            f"Blood pool, myocardium, scar and microvascular obstruction (MVO){studies} were labelled by the command "
            f"{model} in place of the pipeline's networks."
        )


def _mode(labelled: Sequence[Row]) -> str:
    fast = sum(row.get("segment_mode") == "fast" for row in labelled)
    slow = "each seen in several views whose probabilities were averaged"
    quick = "each seen once (--fast)"
    if fast == len(labelled):
        return quick
    return f"{slow}, but in {count_text(fast, 'study', 'studies')} {quick}" if fast else slow


def _thresholds(labelled: Sequence[Row]) -> Iterator[str]:
    def said(column: str) -> str:
        values = {row[column] for row in labelled if row.get(column) is not None}
        return " or ".join(f"{value:g}" for value in sorted(values))

    if share := said("decision_scar_share"):
        yield f"A voxel counted as scar where scar and MVO held more than {share} of the myocardium's probability"
    if (least := said("decision_least_scar_percent")) and least != "0":
        yield f"a heart with less than {least} % of scar as one without"
    if (least := said("decision_least_expected_scar_percent")) and least != "0":
        yield f"a heart with less than {least} % of expected scar as one without"
    if (piece := said("decision_least_mvo_percent")) and piece != "0":
        yield f"a piece of MVO below {piece} % of the myocardium as scar"


def _given(measured: Sequence[Row]) -> Iterator[str]:
    counts = Counter(row.get("labels_source") for row in measured)
    for source, words in _SOURCES.items():
        if counts[source]:
            yield f"In {count_text(counts[source], 'study', 'studies')} a label map {words} was measured instead."


def _measures(measured: Sequence[Row]) -> Iterator[str]:
    yield (
        "Volume is area times the distance between slice centres, mass is volume times 1.05 g/ml, and scar is given in "
        "percent of the myocardium's volume, with MVO counted as scar (Schulz-Menger et al. 2020)."
    )
    raised = sum(row.get("half_of") == "rise_above_remote" for row in measured)
    otherwise = (
        f"; in {count_text(raised, 'study', 'studies')} with bright remote myocardium, half of its rise above that"
        if raised
        else ""
    )
    yield (
        "Thresholds beside it: mean + 2 to 6 standard deviations of remote myocardium, and full width at half maximum "
        f"(half of the scar's greatest signal{otherwise})."
    )


def _counts(measured: Sequence[Row], failures: int) -> str:
    rejected = len(measured) - len(without_rejected(measured))
    found = count_text(len(measured) + failures, "study", "studies")
    was = "was" if len(measured) == 1 else "were"
    left = f"; {rejected:,} rejected by a reader {'was' if rejected == 1 else 'were'} left out" if rejected else ""
    return f"Of {found} found, {len(measured):,} {was} measured{left}."


def _digests(digests: set[Any]) -> str:
    return "weights SHA-256 " + " and ".join(sorted(digest[:_DIGITS] for digest in digests))
