from dataclasses import replace

import numpy as np
import pytest
from hearts import toy_case, toy_spec
from numpy.typing import NDArray

from scarnet_cli.draw.overlay import TILE_PX
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.preview import choose_slices, render_preview
from scarnet_cli.train.stacks import Stack, make_stacks

OFF = Augmentation(window=48, upright=1.0, tilt=0, shift=0, log_scale=0, shear=0, log_gamma=0, noise=0, bias=0, blur=0)
EACH = {
    "tilt": 0.5,
    "shift": 0.2,
    "log_scale": 0.3,
    "shear": 0.2,
    "elastic": 0.05,
    "enlarge": 1.2,
    "log_gamma": 0.5,
    "noise": 0.1,
    "bias": 0.4,
    "blur": 0.1,
    "paste": 0.1,
    "magnitude": 0.1,
    "ghost": 0.5,
    "rician": 0.1,
}


@pytest.fixture(scope="module")
def stacks() -> list[Stack]:
    return make_stacks([toy_case(f"{i}", scar=i != 1) for i in range(2)], toy_spec())


def tiles(stacks: list[Stack], how: Augmentation) -> NDArray[np.float64]:
    """Return the preview's tiles as (row, column, y, x, colour), captions cut off."""
    picture = np.asarray(render_preview(stacks, toy_spec(), how, seed=0), float)
    gap = 4
    rows, columns = (n // (TILE_PX + gap) for n in picture.shape[:2])
    inner = [
        [
            picture[gap + r * (TILE_PX + gap) :, gap + c * (TILE_PX + gap) :][30:TILE_PX, :TILE_PX]
            for c in range(columns)
        ]
        for r in range(rows)
    ]
    return np.array(inner)


@pytest.mark.parametrize("name", EACH)
def test_a_transform_that_is_on_has_a_row_in_which_it_can_be_seen(stacks: list[Stack], name: str) -> None:
    shown = tiles(stacks, replace(OFF, **{name: EACH[name]}))
    # as it is, the transform, and two rows of all together; a column for each of two stacks
    assert shown.shape[:2] == (4, 2)
    change = np.abs(shown[1] - shown[0]).mean(axis=(1, 2, 3))
    # a scar is pasted into the second heart alone, for the first one has its own
    assert change[1] > 0.5
    assert (change[0] > 0.5) == (name != "paste")


def test_the_same_seed_gives_the_same_picture(stacks: list[Stack]) -> None:
    first, again = (render_preview(stacks, toy_spec(), Augmentation(window=48), seed=3).tobytes() for _ in range(2))
    assert first == again
    assert first != render_preview(stacks, toy_spec(), Augmentation(window=48), seed=4).tobytes()


def test_slices_with_scar_and_without_are_chosen_alike() -> None:
    cases = [toy_case(f"{i}", scar=i < 8, slices=2) for i in range(10)]
    assert choose_slices(make_stacks(cases, toy_spec())) == [(0, 0), (1, 0), (2, 0), (3, 0), (8, 0), (9, 0)]
