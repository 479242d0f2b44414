"""From probabilities to labels: what is heart, where scar is, and whether there is scar at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import InputError
from scarnet_cli.files import read_json
from scarnet_cli.image.labels import REGIONS, Label, region_mask

FAINT_SCAR_DROPPED: Final = "faint_scar_dropped"
_GREATEST: Final = {
    "scar_share": 1,
    "least_scar_percent": 100,
    "least_expected_scar_percent": 100,
    "least_expected_mvo_percent": 100,
}


@dataclass(frozen=True, slots=True)
class ExpectedLesions:
    """How much scar (MVO with it) and MVO a study has by the network's probabilities, in percent of the myocardium.

    They are means over the myocardium's voxels: many that are a little likely count as few that are certain.
    """

    scar_percent: float
    mvo_percent: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Thresholds, chosen by cross-validation and stored with the weights.

    Attributes:
        scar_share: A myocardial voxel is scar where scar and MVO hold more than this share of the myocardium's
            probability.
        least_scar_percent: A study whose scar is a smaller percent of the myocardium has no scar: networks invent a
            little in normal hearts, and experts contour hardly any infarct that is so small.
        least_expected_scar_percent: The same for a study whose expected scar (`ExpectedLesions`) is less. It does not
            depend on `scar_share`, so that scar can be drawn as large as it is and yet not be missed where it is faint.
        least_expected_mvo_percent: A study whose expected MVO is less has none; what was called so is scar.
    """

    scar_share: float = 0.5
    least_scar_percent: float = 0.0
    least_expected_scar_percent: float = 0.0
    least_expected_mvo_percent: float = 0.0

    @classmethod
    def from_spec(cls, values: Mapping[str, float]) -> "Decision":
        """Return the decision of a `NetworkSpec`; what it does not name keeps its default."""
        return cls(**values)


def read_decision(path: Path) -> Decision:
    """Read a decision from JSON; what it does not name keeps its default.

    Raises:
        InputError: The file holds anything else than numbers of these names, in their ranges.
    """
    try:
        values = read_json(path)
    except ValueError:
        wrong = "is no JSON"
    else:
        if not isinstance(values, dict) or not values.keys() <= _GREATEST.keys():
            wrong = f"is no table of {' and '.join(_GREATEST)}"
        elif all(type(value) in (int, float) and 0 <= value <= _GREATEST[name] for name, value in values.items()):
            return Decision.from_spec(values)
        else:
            wrong = "needs " + " and ".join(f"a {name} from 0 to {greatest}" for name, greatest in _GREATEST.items())
    message = f"The decision {path.name} {wrong}; take one of `scarnet evaluate` as it is."
    raise InputError("bad_decision", message)


# What a blood pool's probability counts against the others'. Undiminished every network drew it 2 to 3 % too large on
# held-out cases, at the myocardium's cost; with this ScarNet's is right to 1 %, and both Dice rise.
_BLOOD_WEIGHT: Final = 0.7


def decode(probability: NDArray[np.float32], scar_share: float) -> NDArray[np.uint8]:
    """Return (z, y, x) labels of (class, z, y, x) probabilities, from the outer region to the inner.

    First background, blood pool (see `_BLOOD_WEIGHT`) and myocardium (with all that lies in it) compete; then scar
    within the myocardium; then MVO within the scar.
    """
    myocardium, scar = (probability[list(REGIONS[region])].sum(axis=0) for region in ("myocardium", "scar"))
    blood_pool = _BLOOD_WEIGHT * probability[Label.BLOOD_POOL]
    outer = np.stack([probability[Label.BACKGROUND], blood_pool, myocardium])
    labels = outer.argmax(axis=0).astype(np.uint8)
    is_scar = (labels == Label.MYOCARDIUM) & (scar > scar_share * myocardium)
    labels[is_scar] = np.where(probability[Label.MVO] > probability[Label.SCAR], Label.MVO, Label.SCAR)[is_scar]
    return labels


def scar_percent(labels: NDArray[np.uint8]) -> float:
    """Return scar in percent of the myocardium's voxels; 0 without myocardium."""
    myocardium = np.count_nonzero(region_mask(labels, "myocardium"))
    return 100.0 * np.count_nonzero(region_mask(labels, "scar")) / max(myocardium, 1)


def drop_lesions(
    labels: NDArray[np.uint8], expected: ExpectedLesions | None, decision: Decision
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return labels without the scar or the MVO that a study is too unlikely to have, and flags.

    Args:
        labels: (z, y, x) labels of one study.
        expected: How much to expect; None where nobody knows, so that only `least_scar_percent` counts.
        decision: The thresholds.
    """
    least = decision.least_scar_percent
    if expected is not None and expected.scar_percent < decision.least_expected_scar_percent:
        least = np.inf
    if expected is not None and expected.mvo_percent < decision.least_expected_mvo_percent:
        labels = np.where(labels == Label.MVO, Label.SCAR, labels).astype(np.uint8)
    return drop_faint_scar(labels, least)


def drop_faint_scar(labels: NDArray[np.uint8], least_percent: float) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return labels whose scar, where it is less than `least_percent` of the myocardium, is myocardium, and flags."""
    percent = scar_percent(labels)
    if percent == 0.0 or percent >= least_percent:
        return labels, ()
    return np.where(region_mask(labels, "scar"), Label.MYOCARDIUM, labels).astype(np.uint8), (FAINT_SCAR_DROPPED,)
