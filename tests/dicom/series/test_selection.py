"""Which stack is taken, and what is said of the others."""

import numpy as np
import pytest
from dicom_series import FIRST_MM, GAP_MM, LONG_AXIS_PLANE, make_series, place
from pydicom.dataset import Dataset

from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.series.selection import select

MAGNITUDE = ("ORIGINAL", "PRIMARY", "M")


def frames(*series: list[Dataset]) -> list[Frame]:
    datasets = [d for s in series for d in s]
    return [Frame(FoundFile(f"{i}", None, 1, 1), frame_facts(d)[0]) for i, d in enumerate(datasets)]


def named(name: str | None, uid: str, **options: object) -> list[Dataset]:
    return make_series(name=name, series=f"1.2.840.99.{uid}", **options)  # type: ignore[arg-type]


def chosen(*series: list[Dataset]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the chosen series and the reason given for each."""
    selection = select(frames(*series))
    assert selection.stack is not None, selection.error
    uids = tuple(v.series_uid or "" for v in selection.series if v.chosen)
    assert uids == selection.stack.series_uids
    return tuple(uid.removeprefix("1.2.840.99.") for uid in uids), {
        (v.series_uid or "").removeprefix("1.2.840.99."): v.reason for v in selection.series
    }


def turned_long_axis(uid: str, slices: int = 3, name: str = "LGE_PSIR") -> list[Dataset]:
    series = named(name, uid, slices=slices)
    row, column = LONG_AXIS_PLANE
    normal = np.cross(row, column)
    for i, dataset in enumerate(series):
        dataset.ImageOrientationPatient = [f"{v:.12f}"[:16] for v in (*row, *column)]
        dataset.ImagePositionPatient = [f"{v:.9f}"[:16] for v in FIRST_MM + normal * i * 8.0]
    return series


def cine(uid: str) -> list[Dataset]:
    phases = []
    for phase in range(8):
        for dataset in named("SHORT_AXIS", uid, image_type=MAGNITUDE):
            dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{phase}"
            dataset.TriggerTime = 50 * phase
            phases.append(dataset)
    return phases


def test_phase_sensitive_is_preferred_over_its_magnitude_twin() -> None:
    uids, reasons = chosen(named("LGE_SAX_MAG", "1", image_type=MAGNITUDE), named("LGE_SAX_PSIR", "2"))
    assert uids == ("2",)
    assert "comes first by the order of preference" in reasons["1"]


def test_magnitude_alone_is_taken() -> None:
    assert chosen(named("LGE_SAX_MAG", "1", image_type=MAGNITUDE))[0] == ("1",)


def test_averaged_is_preferred_over_single() -> None:
    assert chosen(named("DE_SAX_MOCO_AVG_PSIR", "1"), named("DE_SAX_MOCO_PSIR", "2"))[0] == ("1",)


def test_short_axis_is_told_by_direction_where_the_name_says_nothing() -> None:
    uids, reasons = chosen(turned_long_axis("1"), named("LGE_PSIR", "2"))
    assert uids == ("2",)
    assert reasons["1"].startswith("long axis")


def test_long_and_short_axis_in_one_series_are_separated() -> None:
    long_axis = turned_long_axis("1", name="LGE_LAX_SAX_PSIR")
    for dataset in long_axis:
        dataset.SOPInstanceUID += ".1"
    selection = select(frames(named("LGE_LAX_SAX_PSIR", "1"), long_axis))
    assert selection.stack is not None
    assert len(selection.stack.frames) == 7


@pytest.mark.parametrize("name", ["cine_sax", "TI_scout", "T1_MOLLI_sax", "perfusion_sax", "LGE_4CH_PSIR"])
def test_series_of_another_kind_is_left_with_its_reason(name: str) -> None:
    selection = select(frames(named(name, "1")))
    assert selection.stack is None
    assert selection.error is not None
    assert selection.error.code == "no_lge_stack"
    assert not selection.series[0].chosen
    assert selection.series[0].reason


def test_many_frames_a_position_are_no_late_enhancement_whatever_the_name_hides() -> None:
    selection = select(frames(cine("1")))
    assert selection.stack is None
    assert "8 frames at each position" in selection.series[0].reason


def test_a_lone_stack_without_description_is_taken_with_a_flag() -> None:
    series = named(None, "1", image_type=MAGNITUDE)
    selection = select(frames(series))
    assert selection.stack is not None
    assert [n.code for n in selection.stack.notes if n.flag] == ["lge_unproven"]


def test_inversion_time_shows_late_enhancement_where_the_name_does_not() -> None:
    anatomy = named(None, "1", image_type=MAGNITUDE)
    enhanced = named(None, "2", image_type=MAGNITUDE)
    for dataset in enhanced:
        dataset.InversionTime = 290
    assert chosen(anatomy, enhanced)[0] == ("2",)


def test_several_stacks_that_nothing_tells_apart_are_refused() -> None:
    first, second = (named(None, uid, image_type=MAGNITUDE) for uid in "12")
    for dataset in second:
        dataset.ProtocolName = "other"
    selection = select(frames(first, second))
    assert selection.stack is None


def test_three_slices_are_no_stack() -> None:
    selection = select(frames(named("LGE_SAX_PSIR", "1", slices=3)))
    assert selection.stack is None
    assert "3 positions" in selection.series[0].reason


def test_thin_slabs_are_no_short_axis_stack() -> None:
    series = named("LGE_SAX_PSIR", "1")
    for i, dataset in enumerate(series):
        place(dataset, i * 1.5)
    selection = select(frames(series))
    assert selection.stack is None
    assert "1.5 mm apart" in selection.series[0].reason


def test_a_study_without_mr_images_says_what_it_holds() -> None:
    series = make_series()
    for dataset in series:
        dataset.Modality = "CT"
    selection = select(frames(series))
    assert selection.error is not None
    assert selection.error.code == "no_mr_images"
    assert "CT" in str(selection.error)


def test_two_halves_of_a_stack_in_two_series_are_one_stack() -> None:
    whole = make_series(10)
    for dataset in whole[:5]:
        dataset.SeriesInstanceUID = "1.2.840.99.2"
    selection = select(frames(whole))
    assert selection.stack is not None
    assert len(selection.stack.frames) == 10
    assert "merged_series" in [n.code for n in selection.stack.notes]


def test_a_stack_with_a_gap_gives_way_to_a_whole_one() -> None:
    psir = named("LGE_SAX_PSIR", "1")
    del psir[3]
    assert chosen(psir, named("LGE_SAX_MAG", "2", image_type=MAGNITUDE))[0] == ("2",)


def test_name_outweighs_an_image_type_that_says_m_for_the_whole_pair() -> None:
    selection = select(frames(named("LGE_SAX_PSIR", "1", image_type=MAGNITUDE)))
    assert selection.stack is not None
    assert selection.stack.component == "psir"


def test_negative_values_show_phase_sensitive_images_where_nothing_else_does() -> None:
    series = named("LGE_SAX", "1", image_type=("ORIGINAL", "PRIMARY", "OTHER"))
    for dataset in series:
        dataset.RescaleIntercept, dataset.RescaleSlope = -2048, 1
    selection = select(frames(series))
    assert selection.stack is not None
    assert selection.stack.component == "psir"


def test_order_of_files_does_not_change_the_choice() -> None:
    study = frames(named("LGE_SAX_MAG", "1", image_type=MAGNITUDE), named("LGE_SAX_PSIR", "2"), turned_long_axis("3"))
    forward, backward = select(study), select(study[::-1])
    assert forward.stack is not None
    assert backward.stack is not None
    assert forward.stack.frames == backward.stack.frames
    assert forward.series == backward.series


def test_spacing_is_measured_between_positions_not_taken_from_a_tag() -> None:
    series = make_series()
    for dataset in series:
        dataset.SpacingBetweenSlices, dataset.SliceThickness = 2.0, 2.0
    selection = select(frames(series))
    assert selection.stack is not None
    assert selection.stack.geometry is not None
    assert selection.stack.geometry.slice_spacing_mm == pytest.approx(GAP_MM)


def with_other_pixels_from(first: int, slices: int) -> list[list[Dataset]]:
    """Return a series a slice; those from `first` on have larger pixels, as after the operator chose another FOV."""
    parts = []
    for index, dataset in enumerate(named("LGE_SAX", "0", slices=slices)):
        dataset.SeriesInstanceUID = f"1.2.840.99.{index}"
        if index >= first:
            dataset.PixelSpacing = [1.1 * float(value) for value in dataset.PixelSpacing]
        parts.append([dataset])
    return parts


def test_slices_that_go_on_with_other_pixels_are_left_out_with_a_flag_whatever_their_series() -> None:
    selection = select(frames(*with_other_pixels_from(7, 9)))
    assert selection.stack is not None
    assert len(selection.stack.frames) == 7
    assert [note.code for note in selection.stack.notes if note.flag] == ["slices_left_out"]


def test_slices_that_go_on_under_another_name_are_left_out_with_a_flag() -> None:
    whole = named("LGE_SAX", "1", slices=9)
    for dataset in whole[7:]:
        dataset.SeriesDescription, dataset.SeriesInstanceUID = "LGE_SAX_apex", "1.2.840.99.2"
    selection = select(frames(whole))
    assert selection.stack is not None
    assert [note.code for note in selection.stack.notes if note.flag] == ["slices_left_out"]


def test_a_stack_in_two_parts_that_could_each_be_the_stack_is_refused() -> None:
    selection = select(frames(*with_other_pixels_from(5, 9)))
    assert selection.error is not None
    assert selection.error.code == "stack_in_parts"
    assert "2 parts of 4 and 5 slices" in str(selection.error)
    between = make_series(name="LGE_SAX", series="1.2.840.99.20", slices=9)[5:6]  # the first part's pixels, again
    both = select(frames(*with_other_pixels_from(5, 9), between))
    assert both.error is not None
    assert both.error.code == "stack_in_parts"


def test_a_later_stack_over_the_same_heart_is_no_part_of_the_earlier() -> None:
    later = named("LGE_SAX", "2", slices=9)
    for dataset in later:
        dataset.PixelSpacing = [1.1 * float(value) for value in dataset.PixelSpacing]
        dataset.AcquisitionTime = "235900"
    selection = select(frames(named("LGE_SAX", "1", slices=9), later))
    assert selection.stack is not None
    assert [note.code for note in selection.stack.notes if note.flag] == ["latest_stack_chosen"]


def test_slices_that_only_the_magnitude_twin_has_are_said_to_be_left_out() -> None:
    magnitude = named("LGE_SAX_MAG", "1", slices=9, image_type=MAGNITUDE)
    selection = select(frames(magnitude, named("LGE_SAX_PSIR", "2", slices=7)))
    assert selection.stack is not None
    assert selection.stack.component == "psir"
    left = next(note for note in selection.stack.notes if note.code == "slices_left_out")
    assert (left.flag, left.words[:14]) == (True, "2 more slices ")


def test_pixel_sizes_that_differ_by_rounding_are_one_wherever_the_digits_end() -> None:
    series = named("LGE_SAX", "1", slices=9)
    for dataset, size in zip(series, [1.5625, 1.563] * 5, strict=False):
        dataset.PixelSpacing = [size, size]
    selection = select(frames(series))
    assert selection.stack is not None
    assert len(selection.stack.frames) == 9
