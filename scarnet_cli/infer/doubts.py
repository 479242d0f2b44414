"""Flags that depend on the network's own output: what it leaves open, and scar at the edge of what it sees."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.intensity import middle_of
from scarnet_cli.image.labels import region_mask
from scarnet_cli.infer.decision import Decision, undecided_labels
from scarnet_cli.infer.evidence import Certainty
from scarnet_cli.infer.segment import WINDOW

# Of 80 hearts, each labelled by networks not trained on it, 6 are below this: their scar has a mean Dice of 0.43, that
# of the others 0.75. Other weights may need another threshold.
LEAST_CONFIDENCE: Final = 0.75
# Scar this close to the window's edge may continue beyond it: 2.8 mm, less than half the wall's thickness.
EDGE_PIXELS: Final = 2


def find_doubts(
    probability: NDArray[np.float32], certainty: Certainty, decision: Decision, *, has_scar: bool
) -> tuple[str, ...]:
    """Return the codes that hold for one study.

    Args:
        probability: (classes, z, y, x) on the crop's grid.
        certainty: How certain the label map is.
        decision: The thresholds for scar.
        has_scar: Whether any scar is left in the study's label map.
    """
    raised = {
        "scar_uncertain": certainty.uncertain,
        "low_confidence": certainty.confidence < LEAST_CONFIDENCE,
        "scar_at_crop_edge": has_scar and _scar_at_edge(probability, decision),
    }
    return tuple(code for code, holds in raised.items() if holds)


def _scar_at_edge(probability: NDArray[np.float32], decision: Decision) -> bool:
    scar = region_mask(undecided_labels(probability, decision.scar_share), "scar")
    rows, columns = (middle_of(size, WINDOW - 2 * EDGE_PIXELS) for size in scar.shape[1:])
    return bool(scar.sum() > scar[:, rows, columns].sum())
