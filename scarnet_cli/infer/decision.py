"""From probabilities to labels: where the heart and its scar are, and whether there is scar at all."""

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
    """Scar (MVO included) and MVO of a study, in percent of the myocardium, as the network's probabilities suggest.

    Both are means over the myocardium's voxels: many unlikely voxels count as much as a few certain ones.
    """

    scar_percent: float
    mvo_percent: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Thresholds, chosen by cross-validation and stored with the weights.

    Attributes:
        scar_share: A myocardial voxel is scar if scar and MVO hold more than this share of the myocardium's
            probability.
        least_scar_percent: A study with less scar, in percent of the myocardium, counts as having none: networks
            invent a little in normal hearts, and experts contour hardly any infarct so small.
        least_expected_scar_percent: The same for expected scar (`ExpectedLesions`). This does not depend on
            `scar_share`, so scar can be drawn at its true size without faint scar being missed.
        least_expected_mvo_percent: A study with less expected MVO has none; its MVO voxels become scar.
    """

    scar_share: float = 0.5
    least_scar_percent: float = 0.0
    least_expected_scar_percent: float = 0.0
    least_expected_mvo_percent: float = 0.0

    @classmethod
    def from_spec(cls, values: Mapping[str, float]) -> "Decision":
        """Return the decision of a `NetworkSpec`; thresholds that it does not name keep their defaults."""
        return cls(**values)


def read_decision(path: Path) -> Decision:
    """Read a decision from JSON; thresholds that it does not name keep their defaults.

    Raises:
        InputError: The file holds anything but numbers with these names, within their ranges.
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


# Weight of the blood pool's probability against the others'. With 1 every network drew the pool 2 to 3 % too large on
# held-out cases, at the myocardium's cost; with this weight ScarNet's pool is right to 1 %, and both Dice rise.
_BLOOD_WEIGHT: Final = 0.7


def decode(probability: NDArray[np.float32], scar_share: float) -> NDArray[np.uint8]:
    """Return the (z, y, x) labels of (class, z, y, x) probabilities, decided from the outer regions to the inner.

    First background, blood pool (see `_BLOOD_WEIGHT`) and myocardium (scar and MVO included) compete; then scar is
    decided within the myocardium; then MVO within the scar.
    """
    myocardium, scar = (probability[list(REGIONS[region])].sum(axis=0) for region in ("myocardium", "scar"))
    blood_pool = _BLOOD_WEIGHT * probability[Label.BLOOD_POOL]
    outer = np.stack([probability[Label.BACKGROUND], blood_pool, myocardium])
    labels = outer.argmax(axis=0).astype(np.uint8)
    is_scar = (labels == Label.MYOCARDIUM) & (scar > scar_share * myocardium)
    labels[is_scar] = np.where(probability[Label.MVO] > probability[Label.SCAR], Label.MVO, Label.SCAR)[is_scar]
    return labels


def scar_percent(labels: NDArray[np.uint8]) -> float:
    """Return the scar of (z, y, x) labels in percent of the myocardium's voxels; 0 if there is no myocardium."""
    myocardium = np.count_nonzero(region_mask(labels, "myocardium"))
    return 100.0 * np.count_nonzero(region_mask(labels, "scar")) / max(myocardium, 1)


def drop_lesions(
    labels: NDArray[np.uint8], expected: ExpectedLesions | None, decision: Decision
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return labels without scar or MVO that falls below a threshold, and flags.

    Args:
        labels: (z, y, x) labels of one study.
        expected: The study's expected lesions; if None, only `least_scar_percent` applies.
        decision: The thresholds.
    """
    least = decision.least_scar_percent
    if expected is not None and expected.scar_percent < decision.least_expected_scar_percent:
        least = np.inf
    if expected is not None and expected.mvo_percent < decision.least_expected_mvo_percent:
        labels = np.where(labels == Label.MVO, Label.SCAR, labels).astype(np.uint8)
    return drop_faint_scar(labels, least)


def drop_faint_scar(labels: NDArray[np.uint8], least_percent: float) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return (z, y, x) labels, with scar below `least_percent` of the myocardium relabelled as such, and flags."""
    percent = scar_percent(labels)
    if percent == 0.0 or percent >= least_percent:
        return labels, ()
    return np.where(region_mask(labels, "scar"), Label.MYOCARDIUM, labels).astype(np.uint8), (FAINT_SCAR_DROPPED,)
