"""What a network's probabilities say of a study before anything is decided, and what that makes certain."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.labels import REGIONS, Label, region_mask
from scarnet_cli.infer.decision import CERTAIN, Decision, undecided_labels
from scarnet_cli.stage.records import Margins

# More likely scar than not.
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sums over the probabilities of one study.

    Attributes:
        expected_scar_percent: Scar (MVO included) to expect, in percent of the myocardium. A mean over its voxels: many
            unlikely voxels count as much as a few certain ones.
        scar_doubt_percent: Myocardium that is expected to be called scar wrongly or not to be called scar wrongly, in
            percent: the mean over its voxels of the probability of the less likely of both.
        mvo_doubt_percent: The same for MVO.
        myocardium_dice: Dice of the drawn myocardium that the probabilities lead to expect, 0 to 1.
        scar_dice: The same of scar; 1 if no voxel is more likely scar than not.
    """

    expected_scar_percent: float = 0.0
    scar_doubt_percent: float = 0.0
    mvo_doubt_percent: float = 0.0
    myocardium_dice: float = 1.0
    scar_dice: float = 1.0


@dataclass(frozen=True, slots=True)
class Certainty:
    """How certain the label map of one study is.

    Attributes:
        confidence: Product of the Dice to expect of myocardium and scar, 0 to 1. Without scar, the probability that
            there is none takes the place of the scar's Dice.
        scar_probability: Probability that the heart has scar; None if the weights are not calibrated.
        uncertain: Whether that probability leaves it open, or contradicts the label map.
        margins: Half the widths of the 90 % intervals; None if the weights are not calibrated.
    """

    confidence: float
    scar_probability: float | None
    uncertain: bool
    margins: Margins | None


def find_evidence(probability: NDArray[np.float32], of_slices: NDArray[np.float32] | None = None) -> Evidence:
    """Return the evidence in one study's probabilities.

    Args:
        probability: (class, z, y, x) probabilities of the whole model.
        of_slices: Those of its slice network, which alone tells the scar to expect: a stack network is as certain of a
            little scar as of much. None if the slice network is the whole model.
    """
    wall, myocardium, scar, mvo = _shares(probability)
    if not wall.any():
        return Evidence()
    slice_scar = scar if of_slices is None else _shares(of_slices)[2]
    likely = scar > _HALF
    return Evidence(
        expected_scar_percent=100.0 * float(slice_scar.mean()) if slice_scar.size else 0.0,
        scar_doubt_percent=_doubt_percent(scar),
        mvo_doubt_percent=_doubt_percent(mvo),
        myocardium_dice=float(2.0 * myocardium[wall].sum() / (myocardium.sum() + wall.sum())),
        scar_dice=float(2.0 * scar[likely].sum() / (scar.sum() + likely.sum())) if likely.any() else 1.0,
    )


def judge(evidence: Evidence, labels: NDArray[np.uint8], voxel_ml: float, decision: Decision) -> Certainty:
    """Return how certain a label map is.

    Args:
        evidence: The evidence of the study's probabilities.
        labels: (z, y, x) labels on the full grid, decided.
        voxel_ml: Volume of one voxel.
        decision: The decision that made them.
    """
    has_scar = bool(region_mask(labels, "scar").any())
    probability = decision.scar_probability(evidence.expected_scar_percent)
    myocardium_ml = voxel_ml * float(np.count_nonzero(region_mask(labels, "myocardium")))
    scar_dice = evidence.scar_dice if has_scar else 1.0 - (probability or 0.0)
    return Certainty(
        confidence=evidence.myocardium_dice * scar_dice,
        scar_probability=probability,
        uncertain=probability is not None
        and evidence.expected_scar_percent >= decision.least_expected_scar_percent
        and (probability < CERTAIN or not has_scar),
        margins=find_margins(evidence, myocardium_ml, decision),
    )


def find_margins(evidence: Evidence, myocardium_ml: float, decision: Decision) -> Margins | None:
    """Return half the widths of the 90 % intervals of a study; None if the decision is not calibrated."""
    scar, scar_ml, mvo = decision.scar_margin, decision.scar_ml_margin, decision.mvo_margin
    if scar is None or scar_ml is None or mvo is None:
        return None
    doubts = doubts_of(evidence, myocardium_ml)
    return Margins(scar * doubts[0], scar_ml * doubts[1], mvo * doubts[2])


def doubts_of(evidence: Evidence, myocardium_ml: float) -> tuple[float, float, float]:
    """Return what the margins of scar percent, scar in ml and MVO percent are multiples of.

    MVO's grows with the square root of the doubt, since MVO that the network misses leaves little of it.
    """
    scar = evidence.scar_doubt_percent
    return scar, scar / 100.0 * myocardium_ml, float(np.sqrt(evidence.mvo_doubt_percent))


def _shares(
    probability: NDArray[np.float32],
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the (z, y, x) mask of the myocardium, its probability, and over its voxels the shares of scar and MVO."""
    wall = region_mask(undecided_labels(probability, _HALF), "myocardium")
    myocardium, scar = (probability[list(REGIONS[region])].sum(axis=0) for region in ("myocardium", "scar"))
    return wall, myocardium, scar[wall] / myocardium[wall], probability[Label.MVO][wall] / myocardium[wall]


def _doubt_percent(share: NDArray[np.float32]) -> float:
    return 100.0 * float(np.minimum(share, 1.0 - share).mean())
