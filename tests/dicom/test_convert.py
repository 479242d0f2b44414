"""From files to a volume: right to the voxel, or refused with a code."""

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from dicom_series import DIRECTION, FIRST_MM, GAP_MM, NORMAL, SPACING_YX_MM, make_series, place, save, stored_pixels
from planted import BIRTH, DAY, TOKEN, holders, plant
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from scarnet_cli.cohort.intake import IntakeOptions, take_in
from scarnet_cli.cohort.study_plan import PlannedStudy
from scarnet_cli.dicom.convert import convert_study
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume, read_nifti


def plan(folder: Path) -> PlannedStudy:
    (study,) = take_in(folder, None, IntakeOptions()).studies
    return study


def converted(folder: Path, out: Path) -> tuple[Volume, dict]:  # type: ignore[type-arg]
    study = plan(folder)
    assert study.entry is not None, study.failure
    convert_study(study.entry, folder, out)
    result = out / "studies" / study.study_id
    return read_nifti(result / "image.nii.gz"), json.loads((result / "study.json").read_text())


def failure(folder: Path, out: Path) -> tuple[str, str]:
    """Return code and message, whether the study is refused by the index or by its conversion."""
    study = plan(folder)
    if study.failure is not None:
        return study.failure.code, study.failure.message
    assert study.entry is not None
    with pytest.raises(DicomError) as raised:
        convert_study(study.entry, folder, out)
    return raised.value.code, str(raised.value)


def assert_is_the_stack(volume: Volume, slices: int = 7, seed: int = 0) -> None:
    np.testing.assert_array_equal(volume.array, stored_pixels(slices, seed))
    assert volume.array.dtype == np.float32
    # NIfTI keeps positions as float32.
    np.testing.assert_allclose(volume.spacing_zyx_mm, (GAP_MM, *SPACING_YX_MM), atol=1e-5)
    np.testing.assert_allclose(volume.origin_xyz_mm, FIRST_MM, atol=1e-4)
    np.testing.assert_allclose(volume.direction, DIRECTION, atol=1e-6)


def without_instance_number(series: list[Dataset]) -> list[Dataset]:
    for dataset in series:
        del dataset.InstanceNumber
    return series


def one_series_a_slice(series: list[Dataset]) -> list[Dataset]:
    for i, dataset in enumerate(series):
        dataset.SeriesInstanceUID = f"1.2.840.99.1.5.{i}"
        dataset.SeriesNumber = 10 + i
        dataset.SeriesDescription = f"LGE_SAX_TI{280 + 5 * i}_PSIR"
        dataset.TriggerTime, dataset.EchoTime, dataset.StudyTime = 600 + i, 1.5 + 0.01 * i, f"1000{i:02d}"
    return series


def encoded(syntax: str) -> Callable[[list[Dataset]], list[Dataset]]:
    def encode(series: list[Dataset]) -> list[Dataset]:
        for dataset in series:
            if syntax in (RLELossless, JPEG2000Lossless):
                dataset.compress(syntax, generate_instance_uid=False)
            else:
                dataset.file_meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
        return series

    return encode


def odd_character_set(series: list[Dataset]) -> list[Dataset]:
    for dataset in series:
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientName = "Ünïcödé^Pérsön"
        dataset.add_new(0x00190010, "LO", "PRIVATE JUNK")
        dataset.add_new(0x00191001, "OB", b"\x00\xff\x01\x02")
    return series


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda series: series, id="plain"),
        pytest.param(lambda series: series[::-1], id="reversed"),
        pytest.param(lambda series: random.Random(3).sample(series, len(series)), id="shuffled"),
        pytest.param(without_instance_number, id="no InstanceNumber"),
        pytest.param(one_series_a_slice, id="one series a slice"),
        pytest.param(odd_character_set, id="odd character set and private junk"),
        pytest.param(encoded(ImplicitVRLittleEndian), id="implicit"),
        pytest.param(encoded(DeflatedExplicitVRLittleEndian), id="deflated"),
        pytest.param(encoded(RLELossless), id="RLE"),
        pytest.param(encoded(JPEG2000Lossless), id="JPEG 2000"),
    ],
)
def test_volume_is_the_same_however_the_archive_holds_it(
    tmp_path: Path, change: Callable[[list[Dataset]], list[Dataset]]
) -> None:
    save(change(make_series()), tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)
    assert facts["slices"] == 7
    assert facts["component"] == "psir"
    assert facts["flags"] == []


def test_volume_agrees_with_itk_where_itk_is_right(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    volume, _ = converted(tmp_path / "in", tmp_path / "out")
    image = sitk.ReadImage([str(p) for p in paths])
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.origin_xyz_mm, image.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(volume.spacing_zyx_mm[::-1], image.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(volume.direction.ravel(), image.GetDirection(), atol=1e-6)


def test_each_slice_gets_its_own_rescale(tmp_path: Path) -> None:
    series = make_series(5)
    for i, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + 0.5 * i, -100 * i
    save(series, tmp_path / "in")
    volume, _ = converted(tmp_path / "in", tmp_path / "out")
    stored = stored_pixels(5)
    for i in range(5):
        np.testing.assert_array_equal(volume.array[i], stored[i] * (1 + 0.5 * i) - 100 * i)


def test_signed_values_stay_signed(tmp_path: Path) -> None:
    series = make_series(5)
    for dataset in series:
        dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
        dataset.PixelData = (np.frombuffer(dataset.PixelData, "<u2").astype("<i2") - 2000).tobytes()
    save(series, tmp_path / "in")
    volume, _ = converted(tmp_path / "in", tmp_path / "out")
    np.testing.assert_array_equal(volume.array, stored_pixels(5).astype(int) - 2000)


def test_magnitude_and_psir_in_one_series_are_separated(tmp_path: Path) -> None:
    magnitude = make_series(image_type=("ORIGINAL", "PRIMARY", "M_IR"), seed=1)
    for i, dataset in enumerate(magnitude):
        dataset.SOPInstanceUID = f"1.2.840.99.55.{i}"
    mixed = [d for pair in zip(magnitude, make_series(), strict=True) for d in pair]
    for dataset in mixed:
        dataset.SeriesDescription = "LGE_SAX"
    save(mixed, tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)
    assert "phase_sensitive_chosen" in [rule["code"] for rule in facts["rules"]]


def test_missing_middle_slice_is_refused_with_its_place(tmp_path: Path) -> None:
    series = make_series(8)
    del series[3]
    save(series, tmp_path / "in")
    code, message = failure(tmp_path / "in", tmp_path / "out")
    assert code == "slice_gap"
    depth = float(FIRST_MM @ NORMAL)
    assert f"between {depth + 18:.1f} and {depth + 36:.1f} mm (18.00 mm)" in message


def test_jitter_within_the_tolerance_is_accepted(tmp_path: Path) -> None:
    series = make_series()
    place(series[2], 2 * GAP_MM + 0.05)
    save(series, tmp_path / "in")
    volume, _ = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)


def test_turned_slices_are_refused(tmp_path: Path) -> None:
    series = make_series()
    for i in (5, 6):
        place(series[i], i * GAP_MM, turn_deg=3.0)
    save(series, tmp_path / "in")
    code, message = failure(tmp_path / "in", tmp_path / "out")
    assert code == "turned_slices"
    assert "3.00 degrees" in message


def test_slices_shifted_in_plane_are_refused(tmp_path: Path) -> None:
    series = make_series()
    for i in (5, 6):
        place(series[i], i * GAP_MM, shift_mm=2.5)
    save(series, tmp_path / "in")
    code, message = failure(tmp_path / "in", tmp_path / "out")
    assert code == "sheared_stack"
    assert "2.50 mm" in message


def test_exact_duplicate_is_read_once_and_said(tmp_path: Path) -> None:
    series = make_series()
    save([*series, series[2]], tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)
    assert facts["flags"] == ["duplicate_files"]


@pytest.mark.parametrize("later_first", [True, False])
def test_of_a_repeated_breath_hold_the_latest_is_kept(tmp_path: Path, *, later_first: bool) -> None:
    series = make_series()
    repeat = make_series(seed=8)[3]
    repeat.SOPInstanceUID = "1.2.840.99.77"
    repeat.AcquisitionTime = "102000" if later_first else "101000"
    save([repeat, *series], tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    expected = stored_pixels(7, seed=8 if later_first else 0)[3]
    np.testing.assert_array_equal(volume.array[3], expected)
    assert facts["flags"] == ["repeated_positions"]


def test_near_duplicate_is_flagged_and_the_even_one_kept(tmp_path: Path) -> None:
    series = make_series()
    repeat = make_series(seed=8)[3]
    place(repeat, 3 * GAP_MM + 0.7)
    repeat.SOPInstanceUID, repeat.AcquisitionTime = "1.2.840.99.77", "102000"
    save([repeat, *series], tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)
    assert "near_duplicates" in facts["flags"]


def test_of_a_stack_taken_twice_the_later_is_kept(tmp_path: Path) -> None:
    later = make_series(series="1.2.840.99.2", seed=5)
    for dataset in later:
        dataset.AcquisitionTime = "1030" + dataset.AcquisitionTime[4:]
    save(make_series(), tmp_path / "in" / "a")
    save(later, tmp_path / "in" / "b")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume, seed=5)
    assert facts["flags"] == ["latest_stack_chosen"]


def test_truncated_pixels_fail_and_name_the_file(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    paths[3].write_bytes(paths[3].read_bytes()[:-100])
    code, message = failure(tmp_path / "in", tmp_path / "out")
    assert code == "bad_pixels"
    assert message.startswith("File 4 of 7 (slice at x ")
    assert "003.dcm" not in message


def test_truncated_header_of_an_end_slice_is_flagged(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    paths[6].write_bytes(paths[6].read_bytes()[:400])
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    np.testing.assert_array_equal(volume.array, stored_pixels(7)[:6])
    assert facts["flags"] == ["unreadable_files"]


def test_one_slice_of_another_matrix_is_left_out_with_a_flag(tmp_path: Path) -> None:
    series = make_series()
    series[6].Rows, series[6].PixelData = 20, series[6].PixelData[: len(series[6].PixelData) // 2]
    save(series, tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    assert volume.shape_zyx[0] == 6
    assert facts["flags"] == ["slices_left_out"]


def test_nearly_orthonormal_cosines_are_repaired_and_flagged(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        dataset.ImageOrientationPatient = [round(float(v), 2) for v in dataset.ImageOrientationPatient]
    save(series, tmp_path / "in")
    volume, facts = converted(tmp_path / "in", tmp_path / "out")
    np.testing.assert_allclose(volume.direction.T @ volume.direction, np.eye(3), atol=1e-6)
    assert facts["flags"] == ["orientation_repaired"]


def test_cosines_beyond_repair_are_refused(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        dataset.ImageOrientationPatient = [1, 0, 0, 0.2, 1, 0]
    save(series, tmp_path / "in")
    assert failure(tmp_path / "in", tmp_path / "out")[0] == "bad_orientation"


def test_studies_without_position_are_refused(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        del dataset.ImagePositionPatient
    save(series, tmp_path / "in")
    assert failure(tmp_path / "in", tmp_path / "out")[0] == "no_geometry"


def test_a_blank_stack_is_refused(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        dataset.PixelData = bytes(len(dataset.PixelData))
    save(series, tmp_path / "in")
    assert failure(tmp_path / "in", tmp_path / "out")[0] == "blank_image"


def test_zip_archive_gives_the_same_volume_as_its_folder(tmp_path: Path) -> None:
    paths = save(make_series()[::-1], tmp_path / "loose")
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "study.bin", "w") as archive:
        archive.writestr("../../escape.txt", "not an image")
        for path in paths:
            archive.write(path, f"../{path.name}")
    volume, _ = converted(tmp_path / "in", tmp_path / "out")
    assert_is_the_stack(volume)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "loose", "out"]


def test_outputs_hold_no_name_date_or_path(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        plant(dataset)
    save(series, tmp_path / "in" / f"Person_{TOKEN}")
    study = plan(tmp_path / "in")
    assert study.entry is not None
    convert_study(study.entry, tmp_path / "in", tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"image.nii.gz", "study.json"}
    assert holders(files, [text.lower().encode() for text in (TOKEN, BIRTH, DAY, str(tmp_path / "in"))]) == {}


def test_pixels_of_no_size_are_refused(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        dataset.PixelSpacing = [0, 1.25]
    save(series, tmp_path / "in")
    code, message = failure(tmp_path / "in", tmp_path / "out")
    assert code == "bad_spacing"
    assert "0.0 x 1.25 mm" in message


def test_a_file_that_changed_since_the_index_fails_its_study(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    study = plan(tmp_path / "in")
    assert study.entry is not None
    paths[2].write_bytes(b"something else")
    with pytest.raises(DicomError, match="File 3 of 7 ") as raised:
        convert_study(study.entry, tmp_path / "in", tmp_path / "out")
    assert raised.value.code == "changed_file"
    save(make_series(study="1.2.3.4")[2:3], tmp_path / "in", "002.dcm".format)
    with pytest.raises(DicomError, match="of several studies"):
        convert_study(study.entry, tmp_path / "in", tmp_path / "out")
    paths[2].unlink()
    with pytest.raises(DicomError, match="cannot be read any more"):
        convert_study(study.entry, tmp_path / "in", tmp_path / "out")
