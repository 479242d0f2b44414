"""Enhanced multi-frame objects: one file, frames in any order, facts in functional groups."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dicom_series import COLUMNS, DIRECTION, FIRST_MM, GAP_MM, ROWS, SPACING_YX_MM, make_series, save, stored_pixels
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage

from scarnet_cli.cohort.intake import IntakeOptions, take_in
from scarnet_cli.dicom.convert import convert_study
from scarnet_cli.image.volume import read_nifti


def item(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced(order: Sequence[int], slopes: Sequence[float], components: Sequence[str]) -> Dataset:
    """Return an enhanced object whose frame n is slice order[n]."""
    classic = make_series(7)
    dataset = classic[0]
    pixels = stored_pixels(7)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.NumberOfFrames, dataset.SeriesDescription = len(order), "LGE_SAX"
    dataset.PixelData = b"".join(pixels[i].astype("<u2").tobytes() for i in order)
    groups = []
    for frame, i in enumerate(order):
        position = item(ImagePositionPatient=classic[i].ImagePositionPatient) if i else None
        position = position or item(ImagePositionPatient=[f"{v:.9f}"[:16] for v in FIRST_MM])
        rescale = item(RescaleSlope=slopes[frame], RescaleIntercept=-10.0, RescaleType="US")
        kind = item(FrameType=["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"], ComplexImageComponent=components[frame])
        content = item(FrameAcquisitionDateTime=f"202103041015{frame:02d}.0")
        groups.append(
            item(
                PlanePositionSequence=Items([position]),
                PixelValueTransformationSequence=Items([rescale]),
                MRImageFrameTypeSequence=Items([kind]),
                FrameContentSequence=Items([content]),
            )
        )
    measures = item(PixelSpacing=list(SPACING_YX_MM), SliceThickness=6)
    orientation = item(ImageOrientationPatient=dataset.ImageOrientationPatient)
    shared = item(PixelMeasuresSequence=Items([measures]), PlaneOrientationSequence=Items([orientation]))
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "AcquisitionTime"):
        delattr(dataset, keyword)
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    dataset.PerFrameFunctionalGroupsSequence = Items(groups)
    return dataset


def test_shuffled_frames_with_a_rescale_each_make_the_volume(tmp_path: Path) -> None:
    order = [3, 0, 6, 1, 5, 2, 4]
    slopes = [1.0 + frame for frame in range(7)]
    save([enhanced(order, slopes, ["REAL"] * 7)], tmp_path / "in")
    (study,) = take_in(tmp_path / "in", None, IntakeOptions()).studies
    assert study.entry is not None, study.failure
    convert_study(study.entry, tmp_path / "in", tmp_path / "out")
    folder = tmp_path / "out" / "studies" / study.study_id
    volume = read_nifti(folder / "image.nii.gz")
    stored = stored_pixels(7)
    for frame, i in enumerate(order):
        np.testing.assert_array_equal(volume.array[i], stored[i] * slopes[frame] - 10.0)
    np.testing.assert_allclose(volume.origin_xyz_mm, FIRST_MM, atol=1e-4)
    np.testing.assert_allclose(volume.spacing_zyx_mm, (GAP_MM, *SPACING_YX_MM), atol=1e-5)
    np.testing.assert_allclose(volume.direction, DIRECTION, atol=1e-6)
    assert volume.shape_zyx == (7, ROWS, COLUMNS)
    assert json.loads((folder / "study.json").read_text())["component"] == "psir"


def test_magnitude_frames_of_the_same_object_are_left(tmp_path: Path) -> None:
    order = [*range(7), *range(7)]
    slopes = [2.0] * 7 + [1.0] * 7
    save([enhanced(order, slopes, ["MAGNITUDE"] * 7 + ["REAL"] * 7)], tmp_path / "in")
    (study,) = take_in(tmp_path / "in", None, IntakeOptions()).studies
    assert study.entry is not None, study.failure
    convert_study(study.entry, tmp_path / "in", tmp_path / "out")
    volume = read_nifti(tmp_path / "out" / "studies" / study.study_id / "image.nii.gz")
    np.testing.assert_array_equal(volume.array, stored_pixels(7) - 10.0)
    assert study.entry["rules"][0]["code"] == "phase_sensitive_chosen"


def test_frames_without_groups_are_refused(tmp_path: Path) -> None:
    dataset = make_series(1)[0]
    dataset.NumberOfFrames = 7
    dataset.PixelData = stored_pixels(7).astype("<u2").tobytes()
    save([dataset], tmp_path / "in")
    (study,) = take_in(tmp_path / "in", None, IntakeOptions()).studies
    assert study.failure is not None
    assert study.failure.code == "no_geometry"
