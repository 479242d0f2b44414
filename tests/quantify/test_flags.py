"""Every flag that labels and signal can raise: a phantom that raises it, and a good one that raises none."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.make import make_phantom
from scarnet_cli.phantom.spec import Contrast, Heart, PhantomSpec, Scan, Scar
from scarnet_cli.quantify.measures import measure_study
from scarnet_cli.tables.flags import FLAGS

Study = tuple[Volume, Volume]

GOOD = PhantomSpec(heart=Heart(scars=(Scar(270.0, 90.0, 20.0, 70.0, 0.8),)))
SLICES = GOOD.scan.shape_zyx[0]


def _made(spec: PhantomSpec) -> Study:
    phantom = make_phantom(0, spec)
    return phantom.image, phantom.labels


@pytest.fixture(scope="module")
def good() -> Study:
    return _made(GOOD)


def _flags(study: Study) -> tuple[str, ...]:
    return measure_study(*study).flags


def _scanned(**changes: object) -> PhantomSpec:
    return replace(GOOD, scan=replace(Scan(), **changes))


def _in_contrast(**changes: object) -> PhantomSpec:
    return replace(GOOD, contrast=replace(Contrast(), **changes))


SPECS: dict[str, PhantomSpec] = {
    "no_scar": replace(GOOD, heart=Heart()),
    "heart_at_picture_edge": _scanned(centre_mm=(120.0, 0.0)),
    "slice_gap": _scanned(shape_zyx=(7, 192, 192), spacing_zyx_mm=(13.0, 1.5, 1.5)),
    # six slices of 9 mm from the base: the last one is at 49 of 90 mm
    "base_or_apex_missing": _scanned(shape_zyx=(6, 192, 192)),
    "slices_shifted": _scanned(breath_mm=tuple((8.0 if index == 4 else 0.0, 0.0) for index in range(SLICES))),
    "low_scar_contrast": _in_contrast(scar=0.19),
    "low_remote_contrast": _in_contrast(noise=0.2),
    "wrong_nulling": _in_contrast(myocardium=0.37),
    "motion_or_ghosts": _in_contrast(ghost=tuple(0.9 * (index == 5) for index in range(SLICES))),
}


def _relabelled(change: Callable[[np.ndarray], None]) -> Callable[[Study], Study]:
    def of(study: Study) -> Study:
        image, labels = study
        array = labels.array.copy()
        change(array)
        return image, labels.with_array(array)

    return of


def _nothing(array: np.ndarray) -> None:
    array[:] = 0


def _wall_alone(array: np.ndarray) -> None:
    array[array == 1] = 2


def _all_scar(array: np.ndarray) -> None:
    array[array == 2] = 3


def _one_slice_all_scar(array: np.ndarray) -> None:
    array[5][array[5] == 2] = 3


def _healthy_quarter_is_scar(array: np.ndarray) -> None:
    columns = np.flatnonzero(array.any(axis=(0, 1)))
    third = array[:, :, : (2 * columns[0] + columns[-1]) // 3]
    third[third == 2] = 3


def _scar_is_mvo(array: np.ndarray) -> None:
    array[array == 3] = 4


def _two_slices_left(array: np.ndarray) -> None:
    array[:4] = array[6:] = 0


def _no_middle_slice(array: np.ndarray) -> None:
    array[5] = 0


def _twice_as_large(study: Study) -> Study:
    z, y, x = study[0].spacing_zyx_mm
    image, labels = (replace(volume, spacing_zyx_mm=(z, 2 * y, 2 * x)) for volume in study)
    return image, labels


CHANGES: dict[str, Callable[[Study], Study]] = {
    "no_myocardium": _relabelled(_nothing),
    "no_cavity": _relabelled(_wall_alone),
    "no_remote": _relabelled(_all_scar),
    "remote_borrowed": _relabelled(_one_slice_all_scar),
    "mvo_without_scar": _relabelled(_scar_is_mvo),
    "few_slices": _relabelled(_two_slices_left),
    "missing_slice": _relabelled(_no_middle_slice),
    "myocardium_in_pieces": _relabelled(_no_middle_slice),
    "implausible_volume": _twice_as_large,
    "methods_disagree": _relabelled(_healthy_quarter_is_scar),
}


# What comes along with a flag by its nature.
ALONG: dict[str, set[str]] = {
    "low_remote_contrast": {"low_scar_contrast"},
    "wrong_nulling": {"low_remote_contrast", "low_scar_contrast"},
    "no_cavity": {"low_scar_contrast"},  # the blood in the wall is as bright as scar
    "missing_slice": {"myocardium_in_pieces"},
    "myocardium_in_pieces": {"missing_slice"},
    "methods_disagree": {"low_scar_contrast"},
}


def test_a_good_heart_has_no_flag(good: Study) -> None:
    assert _flags(good) == ()


@pytest.mark.parametrize("code", SPECS)
def test_a_heart_scanned_badly_has_its_flag_alone(code: str) -> None:
    assert set(_flags(_made(SPECS[code]))) == {code} | ALONG.get(code, set())


@pytest.mark.parametrize("code", CHANGES)
def test_a_good_heart_labelled_badly_has_its_flag_alone(code: str, good: Study) -> None:
    assert set(_flags(CHANGES[code](good))) == {code} | ALONG.get(code, set())


@pytest.mark.parametrize("seed", [0, 5, 7])
def test_drawn_hearts_have_no_flag(seed: int) -> None:
    phantom = make_phantom(seed)
    assert _flags((phantom.image, phantom.labels)) == ()


def test_every_code_of_labels_and_signal_is_raised_here() -> None:
    codes = list(FLAGS)
    assert SPECS.keys() | CHANGES.keys() == set(codes[codes.index("no_myocardium") :])
