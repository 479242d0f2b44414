from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scarnet_cli.image.labels import Label
from scarnet_cli.infer.decision import Decision
from scarnet_cli.infer.doubts import EDGE_PIXELS, LEAST_CONFIDENCE, find_doubts
from scarnet_cli.infer.evidence import Certainty
from scarnet_cli.infer.localise import CROP_SIZE
from scarnet_cli.infer.segment import WINDOW

CERTAIN = Certainty(0.9, 1.0, uncertain=False, margins=None)
FIRST = (CROP_SIZE - WINDOW) // 2  # of the window's rows and columns in the crop
LAST = FIRST + WINDOW - 1


def _probability(scar_from: int, scar_to: int) -> NDArray[np.float32]:
    """Return certain probabilities: a block of myocardium across the window, and in it a bar of scar."""
    labels = np.zeros((2, CROP_SIZE, CROP_SIZE), int)
    labels[:, 40:80, FIRST : LAST + 1] = Label.MYOCARDIUM
    labels[:, 50:60, scar_from : scar_to + 1] = Label.SCAR
    return np.moveaxis(np.eye(len(Label), dtype=np.float32)[labels], -1, 0)


@pytest.mark.parametrize(("scar_from", "scar_to"), [(FIRST + EDGE_PIXELS - 1, 60), (60, LAST - EDGE_PIXELS + 1)])
def test_scar_at_either_edge_of_the_window_is_flagged(scar_from: int, scar_to: int) -> None:
    assert find_doubts(_probability(scar_from, scar_to), CERTAIN, Decision(), has_scar=True) == ("scar_at_crop_edge",)


def test_scar_inside_the_window_is_not_flagged() -> None:
    probability = _probability(FIRST + EDGE_PIXELS, LAST - EDGE_PIXELS)
    assert find_doubts(probability, CERTAIN, Decision(), has_scar=True) == ()


def test_scar_that_was_dropped_is_not_flagged() -> None:
    assert find_doubts(_probability(FIRST, 60), CERTAIN, Decision(), has_scar=False) == ()


def test_little_confidence_is_flagged() -> None:
    little, enough = replace(CERTAIN, confidence=LEAST_CONFIDENCE - 0.01), replace(CERTAIN, confidence=LEAST_CONFIDENCE)
    assert find_doubts(_probability(50, 60), little, Decision(), has_scar=True) == ("low_confidence",)
    assert find_doubts(_probability(50, 60), enough, Decision(), has_scar=True) == ()


def test_scar_that_is_uncertain_is_flagged() -> None:
    uncertain = replace(CERTAIN, uncertain=True)
    assert find_doubts(_probability(50, 60), uncertain, Decision(), has_scar=True) == ("scar_uncertain",)
