"""Philips's private scale: when it changes the rescale, and when it says nothing."""

import struct

import pytest
from pydicom.dataset import Dataset

from scarnet_cli.dicom.philips import Rescale, one_scale, private_scale


def with_scale(slope: object, intercept: object, vr: str = "FL") -> Dataset:
    dataset = Dataset()
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0D, vr, intercept)
    block.add_new(0x0E, vr, slope)
    return dataset


def test_private_scale_is_read() -> None:
    assert private_scale(with_scale(0.5, 8.0), None) == Rescale(0.5, 8.0)


def test_private_scale_whose_type_was_lost_is_read() -> None:
    dataset = with_scale(struct.pack("<f", 0.5), struct.pack("<f", 8.0), "UN")
    assert private_scale(dataset, None) == Rescale(0.5, 8.0)


@pytest.mark.parametrize("dataset", [Dataset(), with_scale(0.0, 8.0), with_scale(b"\x00", b"\x00", "UN")])
def test_no_or_a_damaged_private_scale_is_none(dataset: Dataset) -> None:
    assert private_scale(dataset, None) is None


def test_slices_come_to_the_scale_of_the_first() -> None:
    # FP 100 is stored as 100 * 0.5 + 8 = 58 and as 100 * 2 + 8 = 208; the first shows 1.5 * 58 - 50 = 37.
    rescales = one_scale([Rescale(1.5, -50.0)] * 2, [Rescale(0.5, 8.0), Rescale(2.0, 8.0)])
    assert rescales is not None
    first, second = rescales
    assert first.slope * 58 + first.intercept == pytest.approx(37.0)
    assert second.slope * 208 + second.intercept == pytest.approx(37.0)


@pytest.mark.parametrize(
    ("slopes", "scales"),
    [
        pytest.param((1.5, 1.5), (0.5, 0.5), id="all the same"),
        pytest.param((1.0, 0.25), (0.5, 2.0), id="undone by the rescale"),
        pytest.param((1.0, 2.0), (0.5, 0.5), id="the rescale alone varies"),
        pytest.param((1.5, 1.5), (0.5, None), id="one is not known"),
    ],
)
def test_the_standard_rescale_stands_where_the_private_scale_adds_nothing(
    slopes: tuple[float, ...], scales: tuple[float | None, ...]
) -> None:
    private = [None if scale is None else Rescale(scale, 0.0) for scale in scales]
    assert one_scale([Rescale(slope, 0.0) for slope in slopes], private) is None
