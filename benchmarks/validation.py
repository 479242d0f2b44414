"""Print the tables of docs/validation.md in Markdown, from the held-out label maps of `scarnet evaluate`.

.venv/bin/python -m benchmarks.validation EMIDEC EVALUATED --picture docs/confidence.svg
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.benchmark.certainty import certainty_markdown
from scarnet_cli.benchmark.crossval import CaseScore, score_cases, score_table
from scarnet_cli.benchmark.predictions import read_evaluation
from scarnet_cli.benchmark.table import summary_markdown
from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.draw.panels import Panel, Scale, draw_panels
from scarnet_cli.draw.text import number_text
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.evaluate.region import dice_of_region
from scarnet_cli.image.labels import region_mask
from scarnet_cli.quantify.intervals import interval_ends
from scarnet_cli.quantify.measures import StudyMeasures, measure_study
from scarnet_cli.tables.columns import cells_of

_LEVELS: Final = ("base", "mid", "apex", "cap")
_SIZES: Final = {
    "none": (0.0, 0.0),
    "under 5 %": (0.0, 5.0),
    "5 to 10 %": (5.0, 10.0),
    "10 to 20 %": (10.0, 20.0),
    "over 20 %": (20.0, 100.0),
}
_MEASURES: Final = {
    "scar, % of the myocardium": "scar_percent_lv",
    "scar, ml": "scar_ml",
    "MVO, ml": "mvo_ml",
    "myocardium, ml": "myocardium_ml",
    "blood pool, ml": "blood_pool_ml",
    "transmurality, %": "transmurality_mean",
}
_METHODS: Final = {"2-SD": "scar_2sd_percent_lv", "5-SD": "scar_5sd_percent_lv", "FWHM": "scar_fwhm_percent_lv"}
_WORST: Final = 10
_FIFTHS: Final = 5
_PROBABILITIES: Final = (0.0, 0.1, 0.5, 0.9, 1.01)

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A held-out case with the decided (z, y, x) labels, their score, and the measures of both label maps."""

    case: Case
    labels: NDArray[np.uint8]
    score: CaseScore
    ours: StudyMeasures
    expert: StudyMeasures

    def pair(self, column: str) -> tuple[float | None, float | None]:
        """Return our and the expert's value of a column of `scans`."""
        ours, expert = (cells_of(measures.scan)[column] for measures in (self.ours, self.expert))
        return _number(ours), _number(expert)


def held_out_cases(cases: Path, evaluated: Path) -> list[HeldOut]:
    """Read an evaluation and measure both label maps of every case, each under the decision of the others."""
    by_id = {case.case_id: case for case in read_cases(cases)}
    predictions = read_evaluation(evaluated, by_id).predictions
    scores = {score.case_id: score for score in score_cases(predictions, score_table(predictions))}
    members: list[HeldOut] = []
    for prediction in predictions:
        case, score = prediction.case, scores[prediction.case.case_id]
        labels = prediction.decided(score.decision)
        ours, expert = (
            measure_study(case.image, case.image.with_array(array)) for array in (labels, case.labels.array)
        )
        members.append(HeldOut(case, labels, score, ours, expert))
    return members


def by_fold(members: Sequence[HeldOut]) -> Iterator[str]:
    """Yield the table of Dice by fold."""
    yield from _head("fold", "cases", "myocardium", "scar", "scar, where there is any", "MVO")
    for fold in sorted({member.score.fold for member in members}):
        inside = [member.score for member in members if member.score.fold == fold]
        dices = [[score.regions[region].dice for score in inside] for region in ("myocardium", "scar", "mvo")]
        scarred = [score.regions["scar"].dice for score in inside if score.has_scar]
        yield _row(fold, len(inside), *(f"{mean(part):.3f}" for part in (*dices[:2], scarred, dices[2])))


def by_size(members: Sequence[HeldOut]) -> Iterator[str]:
    """Yield the table of scar by its true size, in percent of the myocardium."""
    yield from _head("expert's scar", "cases", "measured as 0", "Dice", "bias, points", "mean difference, points")
    for name, (low, high) in _SIZES.items():
        scores = [member.score for member in members]
        inside = [
            s for s in scores if (low < s.reference_scar_percent <= high) or s.reference_scar_percent == high == 0
        ]
        if inside:
            gaps = [score.scar_percent - score.reference_scar_percent for score in inside]
            zero = sum(score.scar_percent == 0 for score in inside)
            overlap = mean(score.regions["scar"].dice for score in inside)
            yield _row(name, len(inside), zero, f"{overlap:.3f}", f"{mean(gaps):+.1f}", f"{mean(map(abs, gaps)):.1f}")


def by_level(members: Sequence[HeldOut]) -> Iterator[str]:
    """Yield the table of Dice by slice level; a level's slices of one case are scored together."""
    yield from _head("level", "cases", "myocardium", "blood pool", "scar, where the expert drew it")
    for level in _LEVELS:
        overlaps: dict[str, list[float]] = {"myocardium": [], "blood_pool": [], "scar": []}
        for member in members:
            chosen = np.array([row.level == level for row in member.expert.slices])
            ours, expert = member.labels[chosen], member.case.labels.array[chosen]
            for region, values in overlaps.items():
                if region_mask(expert, region).any():
                    values.append(dice_of_region(ours, expert, region))
        yield _row(
            level,
            len(overlaps["myocardium"]),
            *(f"{mean(v):.3f}" if v else number_text(None) for v in overlaps.values()),
        )


def agreements(pairs: Iterable[tuple[str, list[Pair]]]) -> Iterator[str]:
    """Yield a table of Bland-Altman agreement, one row for each name and its pairs of our and the expert's value."""
    yield from _head("", "pairs", "bias", "limits of agreement", "CoV, %", "ICC", "CCC")
    for name, values in pairs:
        agreed = agreement(*(list(column) for column in zip(*values, strict=True)))
        limits = f"{number_text(agreed.lower_limit)} to {number_text(agreed.upper_limit)}"
        rest = (number_text(agreed.cov_percent), number_text(agreed.icc, 2), number_text(agreed.ccc, 2))
        yield _row(name, len(values), f"{agreed.bias:+.1f}", limits, *rest)


def measure_pairs(members: Sequence[HeldOut]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the pairs of whole hearts, and of all AHA segments together."""
    for name, column in _MEASURES.items():
        yield name, _defined(member.pair(column) for member in members)
    yield (
        "scar of an AHA segment, %",
        _defined(
            (ours.scar_percent, expert.scar_percent)
            for member in members
            for ours, expert in zip(member.ours.segments, member.expert.segments, strict=True)
        ),
    )


def method_pairs(members: Sequence[HeldOut]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield each signal method's pairs: inside the network's myocardium, and inside the expert's."""
    for name, column in _METHODS.items():
        yield name, _defined(member.pair(column) for member in members)


def worst(members: Sequence[HeldOut]) -> Iterator[str]:
    """Yield the table of the cases with the least Dice of scar."""
    yield from _head("case", "Dice of scar", "of myocardium", "measured, %", "expert, %", "90 % interval", "confidence")
    for member in sorted(members, key=lambda member: member.score.regions["scar"].dice)[:_WORST]:
        score, certainty = member.score, member.score.certainty
        margin = certainty.margins.scar_percent if certainty and certainty.margins else None
        ends = [] if margin is None else interval_ends(score.scar_percent, margin, 100.0)
        yield _row(
            score.case_id,
            *(f"{score.regions[region].dice:.2f}" for region in ("scar", "myocardium")),
            *(f"{value:.1f}" for value in (score.scar_percent, score.reference_scar_percent)),
            " to ".join(f"{end:.1f}" for end in ends) or number_text(None),
            number_text(certainty.confidence if certainty else None, 2),
        )


def confidence_picture(scores: Sequence[CaseScore]) -> str:
    """Return the reliability of confidence and of the probability of scar as an SVG."""
    judged = [(score.certainty, score) for score in scores if score.certainty]
    by_confidence = sorted(judged, key=lambda pair: pair[0].confidence)
    fifths = [[by_confidence[row] for row in rows] for rows in np.array_split(np.arange(len(judged)), _FIFTHS)]
    confidence = Panel(
        title="Dice by confidence",
        unit="mean of a fifth of the cases",
        ticks=tuple(f"{mean(certainty.confidence for certainty, _ in fifth):.2f}" for fifth in fifths),
        plots=(
            {
                region: [mean(score.regions[region].dice for _, score in fifth) for fifth in fifths]
                for region in ("myocardium", "scar")
            },
        ),
    )
    chances = [(certainty.scar_probability or 0.0, score.has_scar) for certainty, score in judged]
    bins = [[pair for pair in chances if low <= pair[0] < high] for low, high in pairwise(_PROBABILITIES)]
    probability = Panel(
        title="Hearts with scar",
        unit="mean probability of scar",
        ticks=tuple(f"{mean(chance for chance, _ in members):.2f}" for members in bins if members),
        plots=({"part with scar": [mean(has_scar for _, has_scar in members) for members in bins if members]},),
    )
    label = "Dice by fifths of confidence, and the part of hearts with scar by its probability"
    return draw_panels(label, [Scale("", 0.0, 1.0, 150)], [confidence, probability])


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _defined(pairs: Iterable[tuple[float | None, float | None]]) -> list[Pair]:
    return [(ours, expert) for ours, expert in pairs if ours is not None and expert is not None]


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|---" * len(names) + "|"


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Read the cases and the evaluation and print every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="Folder in EMIDEC's layout, or a table of cases.")
    parser.add_argument("evaluated", type=Path, help="Output of `scarnet evaluate`.")
    parser.add_argument("--picture", type=Path, help="SVG to write: reliability of confidence and probability.")
    arguments = parser.parse_args()
    members = held_out_cases(arguments.cases, arguments.evaluated)
    scores = [member.score for member in members]
    parts = {
        "All cases": summary_markdown(scores).splitlines(),
        "By fold": by_fold(members),
        "By size": by_size(members),
        "By level": by_level(members),
        "Agreement": agreements(measure_pairs(members)),
        "Methods": agreements(method_pairs(members)),
        "Certainty": certainty_markdown(scores).splitlines(),
        "Worst": worst(members),
    }
    for title, lines in parts.items():
        print(f"## {title}", "", *lines, sep="\n", end="\n\n")  # noqa: T201 (a tool's output)
    if arguments.picture:
        arguments.picture.write_text(confidence_picture(scores))


if __name__ == "__main__":
    main()
