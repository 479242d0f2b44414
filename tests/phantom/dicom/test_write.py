import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from pydicom import dcmread

from scarnet_cli.dicom.identity import make_uid, study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.dicom.habits import Encoding, Habit, draw_habit, series_description
from scarnet_cli.phantom.dicom.stored import TRANSFER_SYNTAXES
from scarnet_cli.phantom.dicom.write import StudyPlan, WrittenStudy, refuse_other_studies, write_study

# Rows run along L and P at 30 degrees, columns towards the feet; the normal, their cross product, is (-1/2, cos 30, 0).
COS, SIN = math.cos(math.radians(30)), 0.5
OBLIQUE = np.array([[COS, 0.0, -SIN], [SIN, 0.0, COS], [0.0, -1.0, 0.0]])


def volume(slices: int = 4, scale: float = 1.0, rows: int = 20, columns: int = 24) -> Volume:
    values = np.random.default_rng(4).integers(0, 4096, (slices, rows, columns)) * scale
    return Volume(values.astype(np.float32), (10.0, 1.5, 1.25), (-10.0, 20.0, 30.0), OBLIQUE)


def write(out: Path, habit: Habit, image: Volume | None = None, twin: Volume | None = None) -> WrittenStudy:
    plan = StudyPlan("a study", habit, image or volume(), "psir", twin, thickness_mm=8.0, patient="PHANTOM^0007")
    return write_study(plan, out)


def test_oblique_geometry_is_in_the_tags(tmp_path: Path) -> None:
    first, _, third, _ = (dcmread(path) for path in write(tmp_path, Habit()).stack_files)
    assert first.ImagePositionPatient == [-10.0, 20.0, 30.0]
    # Two slices of 10 mm along (-1/2, cos 30, 0)
    assert third.ImagePositionPatient == pytest.approx([-20.0, 20.0 + 20 * COS, 30.0])
    assert third.ImageOrientationPatient == pytest.approx([COS, 0.5, 0.0, 0.0, 0.0, -1.0])
    assert first.PixelSpacing == [1.5, 1.25]  # row to row, then column to column
    assert (first.SliceThickness, first.SpacingBetweenSlices) == (8.0, 10.0)
    assert (first.Rows, first.Columns) == (20, 24)


@pytest.mark.parametrize("encoding", ["explicit", "implicit", "deflated", "big_endian", "rle", "jpeg2000"])
def test_every_encoding_gives_the_same_values_back(tmp_path: Path, encoding: Encoding) -> None:
    image = volume(rows=40, columns=36)
    written = write(tmp_path, Habit(encoding=encoding), image)
    assert dcmread(written.stack_files[0]).file_meta.TransferSyntaxUID == TRANSFER_SYNTAXES[encoding]
    read = np.stack([dcmread(path).pixel_array for path in written.stack_files])
    assert np.array_equal(read, image.array)


def test_pictures_too_small_for_jpeg_2000_are_written_plainly(tmp_path: Path) -> None:
    image = volume(rows=20)
    written = write(tmp_path, Habit(encoding="jpeg2000"), image)
    assert np.array_equal(dcmread(written.stack_files[3]).pixel_array, image.array[3])


def test_another_reader_sees_the_same_volume(tmp_path: Path) -> None:
    image = volume()
    written = write(tmp_path, Habit(series_per_slice=False), image)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in written.stack_files])
    read = reader.Execute()
    assert np.array_equal(sitk.GetArrayFromImage(read), image.array)
    assert read.GetOrigin() == pytest.approx(image.origin_xyz_mm)
    assert read.GetSpacing() == pytest.approx((1.25, 1.5, 10.0))
    assert np.array(read.GetDirection()).reshape(3, 3) == pytest.approx(OBLIQUE, abs=1e-9)


def test_fractions_are_rescaled_and_come_back_within_half_of_the_slope(tmp_path: Path) -> None:
    image = volume(scale=0.37)
    written = write(tmp_path, Habit(vendor="philips"), image)
    for z, path in enumerate(written.stack_files):
        dataset = dcmread(path)
        values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        assert np.abs(values - image.array[z]).max() <= 0.5 * float(dataset.RescaleSlope) * (1 + 1e-4)


def test_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    habit = draw_habit(np.random.default_rng(3), "siemens")
    for name in ("a", "b"):
        write(tmp_path / name, habit, twin=volume())
    first, second = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("a", "b")
    )
    assert len(first) >= 4
    assert first == second


def test_uids_are_valid_unique_and_give_the_study_id(tmp_path: Path) -> None:
    written = write(tmp_path, Habit(distractors=("cine", "localiser")))
    datasets = [dcmread(path) for path in tmp_path.rglob("*") if path.is_file()]
    # 4 slices, 3 phases x 4 slices of cine, 3 localiser planes
    assert len({d.SOPInstanceUID for d in datasets}) == len(datasets) == 19
    assert len({d.SeriesInstanceUID for d in datasets}) == 3
    assert {d.StudyInstanceUID for d in datasets} == {written.study_instance_uid}
    assert len({d.FrameOfReferenceUID for d in datasets}) == 1
    assert all(d.SOPInstanceUID.is_valid for d in datasets)
    assert written.study_id == study_id_from_uid(written.study_instance_uid)


def test_uids_follow_their_parts() -> None:
    assert make_uid("a", 1) == make_uid("a", 1) != make_uid("a", 2)


def test_siemens_may_write_one_series_per_slice(tmp_path: Path) -> None:
    written = write(tmp_path, Habit(vendor="siemens", series_per_slice=True))
    series = [dcmread(path).SeriesInstanceUID for path in written.stack_files]
    assert len(set(series)) == 4


def test_philips_may_hold_both_components_in_one_series(tmp_path: Path) -> None:
    habit = Habit(vendor="philips", stack_name="LGE_SA", twin="mixed")
    written = write(tmp_path, habit, twin=volume())
    datasets = [dcmread(path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(datasets) == 8
    assert len({d.SeriesInstanceUID for d in datasets}) == 1
    assert {dcmread(path).ImageType[2] for path in written.stack_files} == {"R_IR"}


def test_shuffled_files_say_nothing_of_the_slices_order(tmp_path: Path) -> None:
    written = write(tmp_path, Habit(shuffled=True), volume(slices=9))
    numbers = [dcmread(path).InstanceNumber for path in written.stack_files]
    assert sorted(numbers) == list(range(1, 10))
    assert numbers != sorted(numbers)
    assert [p.name for p in written.stack_files] != sorted(p.name for p in written.stack_files)


@pytest.mark.parametrize(("habit", "given"), [("given", True), ("absent", False), ("zero", True)])
def test_inversion_time_is_given_absent_or_zero(tmp_path: Path, habit: str, given: bool) -> None:  # noqa: FBT001
    chosen = {name: Habit(inversion_time=name) for name in ("given", "absent", "zero")}[habit]
    dataset = dcmread(write(tmp_path, chosen).stack_files[0])
    assert ("InversionTime" in dataset) is given
    assert (dataset.get("InversionTime") == 0) is (habit == "zero")


def test_names_follow_the_vendor() -> None:
    siemens, ge = Habit(stack_name="LGE_SAX{}"), Habit(vendor="ge", stack_name="{}SAX LGE")
    assert series_description(siemens, "psir") == "LGE_SAX_PSIR"
    assert series_description(ge, "magnitude") == "MAG:SAX LGE"
    assert series_description(replace(siemens, vendor="philips", stack_name="LGE_SA"), "psir") == "LGE_SA"


def test_drawn_habits_cover_all_ways_to_write() -> None:
    habits = [draw_habit(np.random.default_rng(seed)) for seed in range(200)]
    assert {h.vendor for h in habits} == {"siemens", "ge", "philips"}
    assert len({h.encoding for h in habits}) == 6
    assert {h.twin for h in habits} == {"none", "series", "mixed"}
    assert {h.vendor for h in habits if h.series_per_slice} == {"siemens"}


def test_the_patient_is_made_up_and_the_same_in_every_file(tmp_path: Path) -> None:
    write(tmp_path, Habit(distractors=("localiser",)))
    patients = {str(dcmread(p).PatientName) for p in tmp_path.rglob("*") if p.is_file()}
    assert patients == {"PHANTOM^0007"}


def test_output_with_other_studies_raises(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    with pytest.raises(InputError, match="already holds 1 other studies"):
        refuse_other_studies(tmp_path, {"mine"})
