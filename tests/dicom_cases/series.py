"""Cases of stacks that are no single series, and of series that are no single stack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dicom_series import make_series, save
from pydicom.dataset import Dataset

from dicom_cases.edits import rename
from dicom_cases.multiframe import long_axis_slices
from dicom_cases.truth import TrueStack, Truth, case, true_stack, without

SCATTERED: Final = "one stack in several series, or with times that vary"
REPEATED: Final = "slices or stacks taken twice"
MIXED: Final = "several kinds of picture"


def renumbered(series: Sequence[Dataset], uid: str, number: int, *, name: str | None = None) -> Sequence[Dataset]:
    """Put slices into another series."""
    for i, dataset in enumerate(series, start=1):
        dataset.SeriesInstanceUID, dataset.SeriesNumber = uid, number
        rename(dataset, f"{uid}.{i}")
        if name is not None:
            dataset.SeriesDescription = name
    return series


@case(SCATTERED, "one series a slice")
def series_a_slice(folder: Path) -> Truth:
    series = make_series()
    for i, dataset in enumerate(series):
        renumbered([dataset], f"1.2.840.99.1.5.{i}", 10 + i, name=f"LGE_SAX_TI{280 + 5 * i}_PSIR")
    save(series, folder)
    return Truth(true_stack(), rules=("merged_series",))


@case(SCATTERED, "three slices a series")
def three_slices_a_series(folder: Path) -> Truth:
    series = make_series()
    for i in range(0, 7, 3):
        renumbered(series[i : i + 3], f"1.2.840.99.1.6.{i}", 10 + i)
    save(series, folder)
    return Truth(true_stack(), rules=("merged_series",))


@case(SCATTERED, "TriggerTime varies")
def trigger_time_varies(folder: Path) -> Truth:
    return _varied(folder, "TriggerTime", [600 + 17 * i for i in range(7)])


@case(SCATTERED, "EchoTime varies by 0.01 ms")
def echo_time_varies(folder: Path) -> Truth:
    return _varied(folder, "EchoTime", [1.5 + 0.01 * i for i in range(7)])


@case(SCATTERED, "StudyTime varies")
def study_time_varies(folder: Path) -> Truth:
    return _varied(folder, "StudyTime", [f"1000{i:02d}" for i in range(7)])


@case(SCATTERED, "SeriesNumber varies")
def series_number_varies(folder: Path) -> Truth:
    return _varied(folder, "SeriesNumber", [4 + i for i in range(7)])


def _varied(folder: Path, keyword: str, values: Sequence[object]) -> Truth:
    series = make_series()
    for dataset, value in zip(series, values, strict=True):
        setattr(dataset, keyword, value)
    save(series, folder)
    return Truth(true_stack())


@case(REPEATED, "the same file twice")
def exact_duplicate(folder: Path) -> Truth:
    series = make_series()
    save([*series, series[2]], folder)
    return Truth(true_stack(), flags=("duplicate_files",))


@case(REPEATED, "a breath-hold repeated")
def repeated_breath_hold(folder: Path) -> Truth:
    repeat = make_series(seed=8)[3]
    rename(repeat, "1.2.840.99.77")
    repeat.AcquisitionTime, repeat.InstanceNumber = "102000", 8
    save([repeat, *make_series()], folder)
    values = true_stack().values.copy()
    values[3] = true_stack(seed=8).values[3]
    return Truth(true_stack(values=values), flags=("repeated_positions",))


@case(REPEATED, "an earlier breath-hold, sent last")
def earlier_breath_hold(folder: Path) -> Truth:
    repeat = make_series(seed=8)[3]
    rename(repeat, "1.2.840.99.77")
    repeat.AcquisitionTime, repeat.InstanceNumber = "101000", 8
    save([*make_series(), repeat], folder)
    return Truth(true_stack(), flags=("repeated_positions",))


@case(REPEATED, "the whole stack twice, in two series")
def two_series(folder: Path) -> Truth:
    save(make_series(), folder / "a")
    save(later(renumbered(make_series(seed=5), "1.2.840.99.2", 5)), folder / "b")
    return Truth(true_stack(seed=5), flags=("latest_stack_chosen",), others=(true_stack(),))


@case(REPEATED, "the whole stack twice, in one series")
def twice_in_one_series(folder: Path) -> Truth:
    second = later(make_series(seed=5))
    for i, dataset in enumerate(second):
        rename(dataset, f"1.2.840.99.1.8.{i}")
        dataset.InstanceNumber = 8 + i
    save([*make_series(), *second], folder)
    return Truth(true_stack(seed=5), flags=("repeated_positions",), others=(true_stack(),))


@case(REPEATED, "an averaged stack beside a single one")
def averaged(folder: Path) -> Truth:
    mean = renumbered(make_series(seed=5), "1.2.840.99.2", 5, name="LGE_SAX_MOCO_AVG_PSIR")
    save([*later(make_series()), *mean], folder)
    return Truth(true_stack(seed=5), rules=("averaged_chosen",), others=(true_stack(),))


def later(series: Sequence[Dataset]) -> Sequence[Dataset]:
    """Move the acquisition a quarter of an hour on."""
    for dataset in series:
        dataset.AcquisitionTime = "1030" + dataset.AcquisitionTime[4:]
    return series


def magnitude_series() -> Sequence[Dataset]:
    """Return the same slices as magnitude pictures of other values."""
    return make_series(image_type=("ORIGINAL", "PRIMARY", "M_IR", "M", "IR"), seed=1)


@case(MIXED, "magnitude and phase-sensitive in one series")
def two_components(folder: Path) -> Truth:
    magnitude, real = magnitude_series(), make_series(image_type=("ORIGINAL", "PRIMARY", "R_IR", "R", "IR"))
    for i, dataset in enumerate(magnitude):
        rename(dataset, f"1.2.840.99.55.{i}")
    mixed = [d for pair in zip(magnitude, real, strict=True) for d in pair]
    for number, dataset in enumerate(mixed, start=1):
        dataset.SeriesDescription, dataset.InstanceNumber = "LGE_SAX", number
        dataset.Manufacturer = "Philips Medical Systems"
    save(mixed, folder)
    return Truth(true_stack(), rules=("phase_sensitive_chosen",), others=(true_stack(seed=1),))


@case(MIXED, "magnitude and phase-sensitive in two series")
def twin_series(folder: Path) -> Truth:
    save([*renumbered(magnitude_series(), "1.2.840.99.2", 5, name="LGE_SAX_MAG"), *make_series()], folder)
    return Truth(true_stack(), rules=("phase_sensitive_chosen",), others=(true_stack(seed=1),))


@case(MIXED, "magnitude alone")
def magnitude_alone(folder: Path) -> Truth:
    save(renumbered(magnitude_series(), "1.2.840.99.2", 5, name="LGE_SAX_MAG"), folder)
    return Truth(true_stack(seed=1), component="magnitude")


@case(MIXED, "short and long axis in one series")
def two_views(folder: Path) -> Truth:
    long_axis, truth = long_axis_slices(seed=4)
    both = [*long_axis, *make_series()]
    for number, dataset in enumerate(both, start=1):
        dataset.SeriesDescription, dataset.InstanceNumber = "LGE_PSIR", number
    save(both, folder)
    return Truth(true_stack(), rules=("view_by_direction",), others=(truth,))


@case(MIXED, "TI scout beside it")
def scout_beside(folder: Path) -> Truth:
    save([*scout(), *make_series()], folder)
    return Truth(true_stack(), others=tuple(without(true_stack(seed=20 + i), *range(4), 5, 6) for i in range(12)))


@case(MIXED, "TI scout alone")
def scout_alone(folder: Path) -> Truth:
    save(scout(), folder)
    return Truth(without(true_stack(), *range(7)), refusal="no_lge_stack")


def scout() -> list[Dataset]:
    """Return twelve inversion times at one position."""
    pictures = [make_series(seed=20 + i, image_type=("ORIGINAL", "PRIMARY", "M"))[4] for i in range(12)]
    for i, dataset in enumerate(pictures):
        renumbered([dataset], "1.2.840.99.3", 3, name="TI_scout")
        rename(dataset, f"1.2.840.99.3.{i}")
        dataset.InversionTime, dataset.InstanceNumber = 120 + 40 * i, i + 1
    return pictures


@case(MIXED, "cine alone")
def cine_alone(folder: Path) -> Truth:
    save([d for phase in range(6) for d in cine_phase(phase)], folder)
    return Truth(without(true_stack(), *range(7)), refusal="no_lge_stack")


@case(MIXED, "cine beside it")
def cine_beside(folder: Path) -> Truth:
    save([*(d for phase in range(6) for d in cine_phase(phase)), *make_series()], folder)
    return Truth(true_stack(), others=tuple(true_stack(seed=40 + phase) for phase in range(6)))


def cine_phase(phase: int) -> list[Dataset]:
    """Return one phase of a short-axis cine."""
    series = make_series(seed=40 + phase, image_type=("ORIGINAL", "PRIMARY", "M"))
    renumbered(series, "1.2.840.99.4", 2, name="cine_trufi_sax")
    for i, dataset in enumerate(series):
        rename(dataset, f"1.2.840.99.4.{phase}.{i}")
        dataset.TriggerTime, dataset.InstanceNumber = 40 * phase, 6 * i + phase + 1
    return series


@case(MIXED, "an end slice of another matrix")
def another_matrix_at_the_end(folder: Path) -> Truth:
    save(_cropped(6), folder)
    return Truth(without(true_stack(), 6), flags=("slices_left_out",), others=_cropped_truth(6))


@case(MIXED, "a middle slice of another matrix")
def another_matrix_in_the_middle(folder: Path) -> Truth:
    save(_cropped(3), folder)
    return Truth(without(true_stack(), 3), refusal="slice_gap", others=_cropped_truth(3))


def _cropped(index: int) -> list[Dataset]:
    series = make_series()
    series[index].Rows, series[index].PixelData = 20, series[index].PixelData[: len(series[index].PixelData) // 2]
    return series


def _cropped_truth(index: int) -> tuple[TrueStack, ...]:
    stack = without(true_stack(), *(i for i in range(7) if i != index))
    return (TrueStack(stack.values[:, :20], stack.positions_xyz_mm, stack.direction, stack.spacing_yx_mm),)
