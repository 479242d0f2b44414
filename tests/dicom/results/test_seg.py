"""Label maps as DICOM Segmentation, judged by dciodvfy and read back by dcmqi and highdicom."""

import shutil
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from dicom_series import GAP_MM, SPACING_YX_MM, make_series, place, save, stored_pixels
from exported_study import SHA256, Labelled, judge, label, read_by_dcmqi
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage

from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import Volume, same_grid
from scarnet_cli.phantom.dicom.habits import Habit
from scarnet_cli.phantom.dicom.write import StudyPlan, write_study

OBLIQUE = np.array([[0.8, 0.0, -0.6], [0.6, 0.0, 0.8], [0.0, -1.0, 0.0]])


def picture() -> Volume:
    values = np.random.default_rng(4).integers(0, 4096, (7, 40, 48)).astype(np.float32)
    return Volume(values, (10.0, 1.5, 1.25), (-10.0, 20.0, 30.0), OBLIQUE)


def assert_read_back(study: Labelled, tmp_path: Path) -> None:
    """Both files are valid, and other programs get the label map from it, voxel by voxel and in its place."""
    path = study.export() / "seg.dcm"
    said = judge(path) + judge(path.with_name("report.dcm"))
    assert [line for line in said if line.startswith("Error")] == []
    read = read_by_dcmqi(path, tmp_path / "itk")
    assert same_grid(read, study.labels)
    np.testing.assert_array_equal(read.array, study.labels.array)
    volume = hd.seg.segread(path).get_volume(combine_segments=True).flip_spatial(0)  # its slices run the other way
    np.testing.assert_array_equal(volume.array, study.labels.array)
    assert np.asarray(volume.position) == pytest.approx(study.labels.origin_xyz_mm, abs=1e-3)


def assert_frames_refer_to_their_sources(study: Labelled, tolerance_mm: float = 0.0) -> None:
    """Each frame refers to the one source image that lies where it lies."""
    segmentation = dcmread(study.export() / "seg.dcm")
    sources = {
        str(ds.SOPInstanceUID): ds for ds in map(dcmread, sorted(p for p in study.root.rglob("*") if p.is_file()))
    }
    for group in segmentation.PerFrameFunctionalGroupsSequence:
        (derivation,) = group.DerivationImageSequence
        (reference,) = derivation.SourceImageSequence
        source = sources[reference.ReferencedSOPInstanceUID]
        assert reference.ReferencedSOPClassUID == source.SOPClassUID
        placed = source
        if source.SOPClassUID == EnhancedMRImageStorage:
            frame = source.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
            placed = frame.PlanePositionSequence[0]
        else:
            assert "ReferencedFrameNumber" not in reference
        position = group.PlanePositionSequence[0].ImagePositionPatient
        assert position == pytest.approx(placed.ImagePositionPatient, abs=tolerance_mm, rel=0)
    referred = {
        (series.SeriesInstanceUID, item.ReferencedSOPInstanceUID)
        for series in segmentation.ReferencedSeriesSequence
        for item in series.ReferencedInstanceSequence
    }
    chosen = {
        (str(s.SeriesInstanceUID), uid) for uid, s in sources.items() if s.SeriesInstanceUID in study.entry.chosen
    }
    assert referred <= chosen
    assert len(referred) == len({s.path for s in study.entry.sources})


def test_an_oblique_stack_comes_back_with_every_label(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    study = label(tmp_path / "in", tmp_path)
    assert_read_back(study, tmp_path)
    assert_frames_refer_to_their_sources(study)


def test_slices_that_jitter_within_the_tolerance_come_back_in_their_place(tmp_path: Path) -> None:
    datasets = make_series()
    for index, shift_mm in enumerate((0.0, 0.15, -0.1, 0.0, -0.15, 0.1, 0.0)):
        place(datasets[index], index * GAP_MM + shift_mm, shift_mm)
    save(datasets, tmp_path / "in")
    study = label(tmp_path / "in", tmp_path)
    assert_read_back(study, tmp_path)
    assert_frames_refer_to_their_sources(study, tolerance_mm=0.3)


@pytest.mark.parametrize(
    "habit",
    [
        Habit("siemens", series_per_slice=True, shuffled=True),
        Habit("ge", stack_name="{}SAX LGE 2D MDE", encoding="implicit", twin="series"),
        Habit("philips", stack_name="PSIR_TFE_SAX", encoding="jpeg2000", twin="mixed", shuffled=True),
    ],
    ids=lambda habit: habit.vendor,
)
def test_every_vendors_manner_is_referred_to_exactly(tmp_path: Path, habit: Habit) -> None:
    image = picture()
    twin = image.with_array(image.array[:, ::-1].copy())
    write_study(StudyPlan("a study", habit, image, "psir", twin), tmp_path / "in")
    study = label(tmp_path / "in", tmp_path)
    assert_read_back(study, tmp_path)
    assert_frames_refer_to_their_sources(study)


def test_images_in_an_archive_are_read_there(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    archive = Path(shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "in"))
    assert_read_back(label(archive, tmp_path), tmp_path)


def test_frames_of_an_enhanced_object_are_referred_to_by_number(tmp_path: Path) -> None:
    save([enhanced([3, 0, 6, 1, 5, 2, 4])], tmp_path / "in")
    study = label(tmp_path / "in", tmp_path)
    assert_read_back(study, tmp_path)
    assert_frames_refer_to_their_sources(study)


@pytest.mark.parametrize("highest", [Label.SCAR, Label.MYOCARDIUM, Label.BLOOD_POOL], ids=lambda label: label.name)
def test_a_label_without_a_voxel_has_a_segment_all_the_same(tmp_path: Path, highest: Label) -> None:
    save(make_series(), tmp_path / "in")
    study = label(tmp_path / "in", tmp_path, highest)
    assert_read_back(study, tmp_path)
    segmentation = hd.seg.segread(study.export() / "seg.dcm")
    assert list(segmentation.segment_numbers) == [int(value) for value in Label if value]


def test_segments_say_what_they_are_and_what_made_them(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    segmentation = hd.seg.segread(label(tmp_path / "in", tmp_path).export() / "seg.dcm")
    scar = segmentation.get_segment_description(3)
    assert scar.tracking_id == "scar"
    assert (scar.segmented_property_type.value, scar.segmented_property_type.scheme_designator) == ("12402003", "SCT")
    assert scar.AnatomicRegionSequence[0].CodeValue == "49848007"
    (algorithm,) = scar.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmName == "scarnet"
    assert f"weights_sha256={SHA256}" in algorithm.AlgorithmParameters
    lightness, a, b = scar.RecommendedDisplayCIELabValue
    assert lightness / 65535 * 100 == pytest.approx(74, abs=2)  # orange: light, and far to the yellow
    assert a / 257 - 128 == pytest.approx(27, abs=4)
    assert b / 257 - 128 == pytest.approx(75, abs=4)


def enhanced(order: list[int]) -> Dataset:
    """Return an enhanced object whose frame n is slice order[n] of the series."""
    classic, pixels = make_series(), stored_pixels(7)
    dataset = classic[0]
    positions = [list(slice_.ImagePositionPatient) for slice_ in classic]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.NumberOfFrames, dataset.SeriesDescription = len(order), "LGE_SAX"
    dataset.PixelData = b"".join(pixels[i].astype("<u2").tobytes() for i in order)
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = list(SPACING_YX_MM), GAP_MM
    orientation.ImageOrientationPatient = dataset.ImageOrientationPatient
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([orientation])
    groups = []
    for i in order:
        position, group = Dataset(), Dataset()
        position.ImagePositionPatient = positions[i]
        group.PlanePositionSequence = Items([position])
        groups.append(group)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(dataset, keyword)
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    dataset.PerFrameFunctionalGroupsSequence = Items(groups)
    return dataset
