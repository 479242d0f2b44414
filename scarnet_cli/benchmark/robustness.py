"""Robustness: a model labels held-out cases whose images are disturbed, and is scored at each severity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scarnet_cli.benchmark.disturbances import DISTURBANCES, NOISE, NOISE_PERCENT, random_numbers
from scarnet_cli.benchmark.systems import FINAL_SHARE, CropAndSegment, LabelMaps, System
from scarnet_cli.cases.cases import Case
from scarnet_cli.errors import InputError
from scarnet_cli.evaluate.region import dice_of_region
from scarnet_cli.infer.decision import Decision, decide, scar_percent
from scarnet_cli.tables.benchmark import RobustnessRow

UNDISTURBED: Final = "none"
# Draws of the noise of `NOISE_PERCENT`, for the coefficient of variation of scar percent.
_NOISE_DRAWS: Final = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One disturbance of a case.

    Attributes:
        disturbance: One of `DISTURBANCES`, or `UNDISTURBED`.
        severity: In the disturbance's own unit; 0 if undisturbed.
        repeat: Draw of the random numbers, from 0.
    """

    disturbance: str
    severity: float
    repeat: int = 0

    def disturb(self, case: Case, seed: int) -> Case:
        """Return the case disturbed, image and labels."""
        if self.disturbance == UNDISTURBED:
            return case
        numbers = random_numbers(seed, self.disturbance, case.case_id, self.repeat)
        return DISTURBANCES[self.disturbance].disturb(case, self.severity, numbers)


@dataclass(frozen=True, slots=True)
class DecidedSystem:
    """A system with the one decision by which its labels are scored."""

    system: System
    decision: Decision


def trials(names: Sequence[str]) -> list[Trial]:
    """Return all trials of a case: undisturbed, the named disturbances at each severity, and repeated noise."""
    chosen = [Trial(name, severity) for name in names for severity in DISTURBANCES[name].severities]
    repeated = [Trial(NOISE, NOISE_PERCENT, repeat) for repeat in range(1, _NOISE_DRAWS)] if NOISE in names else []
    return [Trial(UNDISTURBED, 0.0), *chosen, *repeated]


def decided(system: System, decision: Decision | None) -> DecidedSystem:
    """Return a system with a decision: the given one, else that of its weights.

    Raises:
        InputError: The system reads label maps that exist, which do not depend on the image.
    """
    if isinstance(system, LabelMaps):
        message = "Label maps were made of the images as they are; give a network to see what it makes of others."
        raise InputError("label_maps", message)
    if isinstance(system, CropAndSegment):
        chosen = decision or Decision.from_spec(system.segmenter.spec.decision)
        return DecidedSystem(replace(system, shares=(chosen.scar_share,)), chosen)
    return DecidedSystem(system, decision or Decision(scar_share=FINAL_SHARE))


def try_case(
    model: str, by: DecidedSystem, case: Case, fold: int, planned: Sequence[Trial], seed: int
) -> Iterator[RobustnessRow]:
    """Yield the scores of one case in each trial, against its labels as the disturbance moves them.

    Args:
        model: Name of the model.
        by: What labels the case.
        case: The case.
        fold: The fold that held it out.
        planned: The trials.
        seed: Seed of all random numbers.
    """
    for trial in planned:
        disturbed = trial.disturb(case, seed)
        proposal = by.system.segment(disturbed)
        (undecided,) = proposal.labels.values()
        expected = proposal.evidence.expected_scar_percent if proposal.evidence else None
        labels, _ = decide(undecided, expected, by.decision)
        expert = disturbed.labels.array
        myocardium, scar = (dice_of_region(labels, expert, region) for region in ("myocardium", "scar"))
        yield RobustnessRow(
            model=model,
            case_id=case.case_id,
            disturbance=trial.disturbance,
            severity=trial.severity,
            repeat=trial.repeat,
            fold=fold,
            has_scar=case.has_scar,
            myocardium_dice=myocardium,
            scar_dice=scar,
            scar_percent_lv=scar_percent(labels),
            reference_scar_percent_lv=scar_percent(expert),
            crop_holds_percent=proposal.inside_percent,
        )
