"""DICOM Segmentations come back: our own, and one as an editor writes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from dicom_series import make_series, save
from exported_study import Labelled, label
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.sr.coding import Code

from scarnet_cli.dicom.results.given_labels import read_given_labels
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.volume import read_nifti

SCAR = Code("12402003", "SCT", "Scar tissue")
LESION = Code("49755003", "SCT", "Morphologically Abnormal Structure")


@pytest.fixture
def study(tmp_path: Path) -> Labelled:
    save(make_series(), tmp_path / "in")
    return label(tmp_path / "in", tmp_path / "work")


def test_our_own_segmentation_gives_the_label_map_that_it_was_made_of(study: Labelled) -> None:
    image = read_nifti(study.work / "convert" / "studies" / study.study_id / "image.nii.gz")
    read = read_given_labels(study.export() / "seg.dcm", image, None)
    np.testing.assert_array_equal(read.labels.array, study.labels.array)
    assert read.editor is None


def test_an_editor_s_segments_overlap_are_told_by_name_and_have_no_empty_frames(
    study: Labelled, tmp_path: Path
) -> None:
    labels = study.labels.array
    # the whole myocardium, and the scar drawn on it; slices in the order of the files
    masks = {"LV cavity": labels == 1, "Myocardium_1": labels >= 2, "infarct (scar)": labels >= 3}
    segmentation = edited(masks, study, tmp_path, "BINARY")
    segmentation["ContentDate"].value = "20261101"
    segmentation.save_as(tmp_path / "edited.dcm")
    assert len(segmentation.PerFrameFunctionalGroupsSequence) < len(masks) * len(labels)
    image = read_nifti(study.work / "convert" / "studies" / study.study_id / "image.nii.gz")
    read = read_given_labels(tmp_path / "edited.dcm", image, None)
    np.testing.assert_array_equal(read.labels.array, np.minimum(labels, 3))
    assert (read.editor, read.date) == ("Reader^One", "2026-11-01")


def test_fractions_are_segments_where_each_is_all_or_nothing(study: Labelled, tmp_path: Path) -> None:
    image = read_nifti(study.work / "convert" / "studies" / study.study_id / "image.nii.gz")
    masks = {"scar": study.labels.array >= 3, "myocardium": study.labels.array == 2}
    edited(masks, study, tmp_path, "FRACTIONAL").save_as(tmp_path / "whole.dcm")
    labels = read_given_labels(tmp_path / "whole.dcm", image, None).labels.array
    np.testing.assert_array_equal(labels, np.select(list(masks.values()), [3, 2]))
    parts = {name: mask * 0.25 for name, mask in masks.items()}
    edited(parts, study, tmp_path, "FRACTIONAL").save_as(tmp_path / "parts.dcm")
    with pytest.raises(GeometryError, match=r"holds fractions .*; write it as BINARY"):
        read_given_labels(tmp_path / "parts.dcm", image, None)


def edited(masks: Mapping[str, NDArray[Any]], study: Labelled, tmp_path: Path, kind: str) -> hd.seg.Segmentation:
    """Return a Segmentation of named (z, y, x) masks or fractions as an editor writes it."""
    sources = sorted((dcmread(path) for path in (tmp_path / "in").iterdir()), key=position_of(study))
    for header in sources:
        for keyword in ("PatientSex", "PatientBirthDate", "AccessionNumber", "StudyID", "ReferringPhysicianName"):
            header.setdefault(keyword, "")
    values = np.stack(list(masks.values()), axis=-1)
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=values.astype(np.uint8 if kind == "BINARY" else np.float32),
        segmentation_type=kind,
        segment_descriptions=[
            hd.seg.SegmentDescription(number, name, LESION, SCAR, "MANUAL")
            for number, name in enumerate(masks, start=1)
        ],
        series_instance_uid=hd.UID(),
        series_number=7,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="An editor",
        manufacturer_model_name="",
        software_versions="1",
        device_serial_number="1",
        content_creator_name="Reader^One",
        omit_empty_frames=True,
    )


def position_of(study: Labelled):  # noqa: ANN201
    """Return the key that sorts source images as the slices of the label map."""
    axis = study.labels.direction[:, 2]
    return lambda header: float(np.dot(axis, header.ImagePositionPatient))


def test_an_image_is_no_segmentation(study: Labelled, tmp_path: Path) -> None:
    image = read_nifti(study.work / "convert" / "studies" / study.study_id / "image.nii.gz")
    with pytest.raises(GeometryError, match="DICOM but no Segmentation; contours"):
        read_given_labels(next((tmp_path / "in").iterdir()), image, None)
