"""From probabilities to labels: where the heart, its scar and its MVO are, and whether there is any at all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from scarnet_cli.errors import InputError, ModelError
from scarnet_cli.files import read_json
from scarnet_cli.image.components import connected_components, largest_component
from scarnet_cli.image.labels import REGIONS, Label, region_mask

FAINT_SCAR_DROPPED: Final = "faint_scar_dropped"
# Least probability of scar, and of no scar, that counts as certain.
CERTAIN: Final = 0.9
# Less expected scar counts as this much, so that its logarithm exists.
LEAST_EXPECTED_PERCENT: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Decision:
    """Thresholds and calibration, chosen by cross-validation and stored with the weights.

    Attributes:
        scar_share: A myocardial voxel is scar if scar and MVO hold more than this share of the myocardium's
            probability.
        least_scar_percent: A study with less scar, in percent of the myocardium, counts as having none: networks
            invent a little in normal hearts, and experts contour hardly any infarct so small.
        least_expected_scar_percent: The same for expected scar (`evidence.Evidence`). This does not depend on
            `scar_share`, so scar can be drawn at its true size without faint scar being missed.
        least_mvo_percent: A connected piece of MVO below this percentage of the myocardium counts as scar.
        even_scar_percent: Expected scar at which a heart is as likely to have scar as not; None if not calibrated.
        scar_slope: Rise of the log odds of scar with the logarithm of expected scar; None if not calibrated.
        scar_margin: Half the width of the 90 % interval for scar percent, as a multiple of the doubt; None if not
            calibrated.
        scar_ml_margin: The same for scar in ml, as a multiple of the doubt in ml.
        mvo_margin: The same for MVO percent, as a multiple of the square root of its doubt.
    """

    scar_share: float = 0.5
    least_scar_percent: float = 0.0
    least_expected_scar_percent: float = 0.0
    least_mvo_percent: float = 0.0
    even_scar_percent: float | None = None
    scar_slope: float | None = None
    scar_margin: float | None = None
    scar_ml_margin: float | None = None
    mvo_margin: float | None = None

    @classmethod
    def from_spec(cls, values: Mapping[str, float]) -> "Decision":
        """Return the decision of a `NetworkSpec`; what it does not name keeps its default.

        Raises:
            ModelError: It names a threshold that this version does not know.
        """
        unknown = sorted(values.keys() - _GREATEST.keys())
        if unknown:
            message = (
                f"The weights' decision names {', '.join(unknown)}, which this version does not know; give the weights "
                "a new one: scarnet evaluate, then scarnet weights decide."
            )
            raise ModelError("unknown_threshold", message)
        return cls(**values)

    def to_spec(self) -> dict[str, float]:
        """Return what a `NetworkSpec` stores: everything that is known."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def scar_probability(self, expected_percent: float) -> float | None:
        """Return the probability that a heart has scar, by its expected scar in percent; None if not calibrated."""
        if self.scar_slope is None or self.even_scar_percent is None:
            return None
        ratio = max(expected_percent, LEAST_EXPECTED_PERCENT) / self.even_scar_percent
        return float(expit(self.scar_slope * np.log(ratio)))


_GREATEST: Final = {field.name: 1000.0 for field in fields(Decision)} | {
    "scar_share": 1,
    "least_scar_percent": 100,
    "least_expected_scar_percent": 100,
    "least_mvo_percent": 100,
    "even_scar_percent": 100,
}


def read_decision(path: Path) -> Decision:
    """Read a decision from JSON; what it does not name, or gives as null, keeps its default.

    Raises:
        InputError: The file holds anything but numbers with these names, within their ranges.
    """
    try:
        values = read_json(path)
    except ValueError:
        wrong = "is not JSON"
    else:
        if not isinstance(values, dict) or not values.keys() <= _GREATEST.keys():
            wrong = f"is not a table of {' and '.join(_GREATEST)}"
        else:
            given = {name: value for name, value in values.items() if value is not None}
            if all(type(value) in (int, float) and 0 <= value <= _GREATEST[name] for name, value in given.items()):
                return Decision.from_spec(given)
            wrong = "needs " + " and ".join(f"a {name} from 0 to {greatest}" for name, greatest in _GREATEST.items())
    message = f"The decision {path.name} {wrong}; take one of `scarnet evaluate` as it is."
    raise InputError("bad_decision", message)


# Weight of the blood pool's probability against the others'. With 1 every network drew the pool 2 to 3 % too large on
# held-out cases, at the myocardium's cost; with this weight ScarNet's pool is right to 1 %, and both Dice rise.
_BLOOD_WEIGHT: Final = 0.7


def undecided_labels(probability: NDArray[np.float32], scar_share: float) -> NDArray[np.uint8]:
    """Return the (z, y, x) labels of (class, z, y, x) probabilities: decoded, and only the largest piece kept.

    Faint scar and small MVO are not dropped yet.
    """
    labels = decode(probability, scar_share)
    labels[~largest_component(labels != Label.BACKGROUND)] = Label.BACKGROUND
    return labels


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
    return _percent_of_myocardium(region_mask(labels, "scar"), labels)


def mvo_percent(labels: NDArray[np.uint8]) -> float:
    """Return the MVO of (z, y, x) labels in percent of the myocardium's voxels; 0 if there is no myocardium."""
    return _percent_of_myocardium(labels == Label.MVO, labels)


def _percent_of_myocardium(mask: NDArray[np.bool_], labels: NDArray[np.uint8]) -> float:
    return 100.0 * np.count_nonzero(mask) / max(np.count_nonzero(region_mask(labels, "myocardium")), 1)


def decide(
    labels: NDArray[np.uint8], expected_scar_percent: float | None, decision: Decision
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return (z, y, x) labels without scar or MVO that falls below a threshold, and flags.

    Args:
        labels: Undecided labels of one study.
        expected_scar_percent: The study's expected scar; if None, `least_expected_scar_percent` does not apply.
        decision: The thresholds.
    """
    percent = scar_percent(labels)
    faint = expected_scar_percent is not None and expected_scar_percent < decision.least_expected_scar_percent
    if percent and (faint or percent < decision.least_scar_percent):
        scar = region_mask(labels, "scar")
        return np.where(scar, Label.MYOCARDIUM, labels).astype(np.uint8), (FAINT_SCAR_DROPPED,)
    return drop_small_mvo(labels, decision.least_mvo_percent), ()


def drop_small_mvo(labels: NDArray[np.uint8], least_percent: float) -> NDArray[np.uint8]:
    """Return (z, y, x) labels in which pieces of MVO below `least_percent` of the myocardium are scar."""
    mvo = labels == Label.MVO
    if not mvo.any():
        return labels
    pieces, _ = connected_components(mvo)
    sizes = np.bincount(pieces.ravel())
    least = least_percent / 100.0 * np.count_nonzero(region_mask(labels, "myocardium"))
    small = (pieces > 0) & (sizes < least)[pieces]
    return np.where(small, Label.SCAR, labels).astype(np.uint8)
