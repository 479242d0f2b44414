"""Label maps from elsewhere are read as other programs write them, and measured in place of the network's."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from labelled_study import CONVERTED, SEGMENTED
from numpy.typing import NDArray
from scipy import ndimage
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.dicom.results.given_labels import read_given_labels
from scarnet_cli.errors import GeometryError
from scarnet_cli.evaluate.region import dice_of_region
from scarnet_cli.files import read_json
from scarnet_cli.image.foreign_nifti import reordered
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import Volume, read_nifti, to_sitk, write_nifti
from scarnet_cli.quantify.pair import PairOptions, quantify_pair
from scarnet_cli.quantify.quantify_stage import quantify_studies
from scarnet_cli.stage.folder import StudyFile, study_folder
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.stage.run import write_failures
from scarnet_cli.tables.parquet import read_table

NAMES = {Label.BLOOD_POOL: "LV blood pool", Label.MYOCARDIUM: "Myocardium", Label.SCAR: "Scar", Label.MVO: "MVO"}


@pytest.fixture
def heart() -> tuple[Volume, Volume]:
    """A made heart with a scar and its label map."""
    return make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))


def write_seg_nrrd(labels: Volume, path: Path, names: dict[Label, str] = NAMES) -> None:
    """Write a label map as 3D Slicer does: cropped to what holds something, segments by name, numbered anew."""
    low, high = (f(np.nonzero(labels.array), axis=1) for f in (np.min, np.max))
    box = labels.array[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))]
    numbered = np.zeros(box.shape, np.uint8)
    for number, label in enumerate(reversed(list(names)), start=1):
        numbered[box == label] = number
    x, y, z = (float(value) for value in labels.world(low))
    image = to_sitk(replace(labels, array=numbered, origin_xyz_mm=(x, y, z)))
    for number, label in enumerate(reversed(list(names))):
        image.SetMetaData(f"Segment{number}_Name", names[label])
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
        image.SetMetaData(f"Segment{number}_Layer", "0")
    sitk.WriteImage(image, str(path))


def test_segments_of_slicer_are_told_by_name_and_placed_from_their_box(
    heart: tuple[Volume, Volume], tmp_path: Path
) -> None:
    image, labels = heart
    write_seg_nrrd(labels, tmp_path / "a.seg.nrrd")
    assert np.array_equal(read_given_labels(tmp_path / "a.seg.nrrd", image, None).labels.array, labels.array)


def test_a_file_that_slicer_wrote_is_read_layer_by_layer(heart: tuple[Volume, Volume]) -> None:
    """3D Slicer 5.13 (its storage node, from the package slicer-core) opened this label map, and wrote it as it saves.

    The segments were renamed, and the scar grown by a pixel in its planes, on a layer of its own over the others.
    """
    image, labels = heart
    grown = ndimage.binary_dilation(labels.array == Label.SCAR, np.ones((1, 3, 3)))
    drawn = np.where(grown, Label.SCAR, labels.array)
    read = read_given_labels(Path(__file__).with_name("slicer.seg.nrrd"), image, None).labels
    assert (drawn != labels.array).sum() > 0
    assert np.array_equal(read.array, drawn)


def write_layers(masks: Sequence[NDArray[np.bool_]], grid: Volume, path: Path, names: Sequence[str]) -> None:
    """Write an NRRD of a layer of ones for each mask, with names as 3D Slicer gave them before 4.11."""
    image = sitk.GetImageFromArray(np.stack(masks, -1).astype(np.uint8), isVector=True)
    image.CopyInformation(to_sitk(grid))
    for number, name in enumerate(names):
        image.SetMetaData(f"Segment{number}_Name", name)
    sitk.WriteImage(image, str(path))


def test_segments_without_layer_and_value_are_layers_as_older_slicers_wrote_them(
    heart: tuple[Volume, Volume], tmp_path: Path
) -> None:
    image, labels = heart
    drawn = (Label.SCAR, Label.MYOCARDIUM, Label.BLOOD_POOL)
    masks = [labels.array == label for label in drawn]
    write_layers(masks, labels, tmp_path / "a.seg.nrrd", [NAMES[label] for label in drawn])
    assert np.array_equal(read_given_labels(tmp_path / "a.seg.nrrd", image, None).labels.array, labels.array)


def test_layers_without_names_are_refused(heart: tuple[Volume, Volume], tmp_path: Path) -> None:
    """MITK writes a layer for each group of labels, other programs one for each label."""
    image, labels = heart
    write_layers([labels.array == 1, labels.array == 2], labels, tmp_path / "a.nrrd", [])
    with pytest.raises(GeometryError, match="has 2 layers and names no segments; save it as one label map"):
        read_given_labels(tmp_path / "a.nrrd", image, None)


def test_an_empty_segment_may_have_any_name(heart: tuple[Volume, Volume], tmp_path: Path) -> None:
    image, labels = heart
    assert not (labels.array == Label.MVO).any()
    write_seg_nrrd(labels, tmp_path / "a.seg.nrrd", {**NAMES, Label.MVO: "Segment_1"})
    assert np.array_equal(read_given_labels(tmp_path / "a.seg.nrrd", image, None).labels.array, labels.array)


def test_a_plain_nrrd_and_a_nifti_with_turned_axes_are_read(heart: tuple[Volume, Volume], tmp_path: Path) -> None:
    image, labels = heart
    sitk.WriteImage(to_sitk(labels), str(tmp_path / "a.nrrd"))
    turned = reordered(labels, labels.direction[:, [1, 2, 0]] * [-1.0, 1.0, -1.0])
    assert turned.shape_zyx != labels.shape_zyx
    write_nifti(turned, tmp_path / "a.nii.gz")
    for name in ("a.nrrd", "a.nii.gz"):
        assert np.array_equal(read_given_labels(tmp_path / name, image, None).labels.array, labels.array)


def test_a_pair_of_files_takes_the_same_label_maps(heart: tuple[Volume, Volume], tmp_path: Path) -> None:
    image, labels = heart
    write_nifti(image, tmp_path / "image.nii.gz")
    write_nifti(labels, tmp_path / "labels.nii.gz")
    write_seg_nrrd(labels, tmp_path / "labels.seg.nrrd")
    tables = []
    for name in ("labels.nii.gz", "labels.seg.nrrd"):
        quantify_pair(tmp_path / "image.nii.gz", tmp_path / name, tmp_path / name[:-3], PairOptions("P1"))
        tables.append(read_table(tmp_path / name[:-3] / "scans.parquet").to_pylist())
    assert tables[0] == tables[1]
    assert tables[0][0]["scar_ml"] > 0


def test_values_of_another_program_are_translated_by_its_table(heart: tuple[Volume, Volume], tmp_path: Path) -> None:
    image, labels = heart
    write_nifti(labels.with_array(labels.array * 10), tmp_path / "a.nii.gz")
    values = {10 * label: label for label in Label}
    assert np.array_equal(read_given_labels(tmp_path / "a.nii.gz", image, values).labels.array, labels.array)
    with pytest.raises(GeometryError, match="label values"):
        read_given_labels(tmp_path / "a.nii.gz", image, None)


def test_what_does_not_fit_is_refused_with_both_grids_or_the_segments(
    heart: tuple[Volume, Volume], tmp_path: Path
) -> None:
    image, labels = heart
    write_nifti(replace(labels, spacing_zyx_mm=(8.0, 1.0, 1.5)), tmp_path / "other.nii.gz")
    write_nifti(replace(labels, origin_xyz_mm=(0.7, 0.0, 0.0)), tmp_path / "shifted.nii.gz")
    whole = labels.with_array(np.full_like(labels.array, Label.BLOOD_POOL))
    write_nifti(replace(whole, origin_xyz_mm=tuple(whole.world(np.array([0, 0, 1])))), tmp_path / "beyond.nii.gz")
    for name in ("other", "shifted", "beyond"):
        with pytest.raises(GeometryError, match=r"voxels of .* the image .* voxels of") as refused:
            read_given_labels(tmp_path / f"{name}.nii.gz", image, None)
        assert refused.value.code == "labels_unusable"
    write_seg_nrrd(labels, tmp_path / "a.seg.nrrd", {**NAMES, Label.SCAR: "Segment_3"})
    with pytest.raises(GeometryError, match="1 of the label map's 4 segments") as refused:
        read_given_labels(tmp_path / "a.seg.nrrd", image, None)
    assert refused.value.code == "labels_unusable"
    for content in (b"", b"NRRD0004\n", b"\0" * 128 + b"DICM", b"study,label"):
        (tmp_path / "broken").write_bytes(content)
        with pytest.raises(GeometryError, match=r"^The label map to measure cannot be used\. "):
            read_given_labels(tmp_path / "broken", image, None)


@pytest.fixture
def stages(heart: tuple[Volume, Volume], tmp_path: Path) -> Path:
    """Outputs of CONVERT and SEGMENT with three studies, in one of which the network found no heart."""
    image, labels = heart
    for study_id in ("corrected", "unfound", "untouched", "unusable"):
        convert, segment = (study_folder(tmp_path / name, study_id) for name in ("convert", "segment"))
        convert.write_volume(StudyFile.IMAGE, image)
        convert.write_record(StudyFile.STUDY, replace(CONVERTED, study_id=study_id))
        if study_id != "unfound":
            segment.write_volume(StudyFile.LABELS, labels)
            segment.write_record(StudyFile.SEGMENT_RECORD, replace(SEGMENTED, study_id=study_id))
    write_failures([], tmp_path / "segment" / "failures.parquet")
    drawn = labels.array.copy()
    drawn[2][drawn[2] == Label.SCAR] = Label.MYOCARDIUM
    write_nifti(labels.with_array(drawn), tmp_path / "drawn.nii.gz")
    (tmp_path / "unusable.nii.gz").write_bytes(b"nothing")
    return tmp_path


def test_a_given_label_map_is_measured_and_the_network_s_stays_beside_it(stages: Path) -> None:
    drawn = str(stages / "drawn.nii.gz")
    maps = {
        "corrected": [LabelMapFile(drawn, "corrected")],
        "unfound": [LabelMapFile(drawn, "given")],
        "unusable": [LabelMapFile(str(stages / "unusable.nii.gz"), "corrected")],
        "of another batch": [LabelMapFile(drawn, "corrected")],
    }
    failures = quantify_studies(stages / "convert", stages / "segment", stages / "out", label_maps=maps)
    assert [(failure.study_id, failure.code) for failure in failures] == [("unusable", "labels_unusable")]
    scans = {row["study_id"]: row for row in read_table(stages / "out" / "scans.parquet").to_pylist()}
    assert list(scans) == ["corrected", "unfound", "untouched"]

    corrected, unfound, untouched = scans.values()
    assert (untouched["labels_source"], untouched["labels_date"], untouched["model"]) == ("network", None, "unet")
    assert untouched["network_scar_ml"] is None
    for row, source in ((corrected, "corrected"), (unfound, "given")):
        assert (row["labels_source"], len(row["labels_date"])) == (source, 10)
        of_network = ("model", "model_sha256", "confidence", "scar_probability", "scar_percent_lv_low", "device")
        assert {row[name] for name in of_network} == {None}
        assert row["flags"][:2] == ["repeated_slice", f"labels_{source}"]
        assert "low_confidence" not in row["flags"]
        assert 0 < row["scar_ml"] < untouched["scar_ml"]
    assert corrected["network_scar_ml"] == pytest.approx(untouched["scar_ml"])
    assert corrected["network_scar_percent_lv"] == pytest.approx(untouched["scar_percent_lv"])
    drawn_labels, network = (
        read_nifti(Path(path)).array for path in (drawn, stages / "segment/studies/corrected/labels.nii.gz")
    )
    assert corrected["network_scar_dice"] == dice_of_region(network, drawn_labels, "scar") < 1.0
    assert corrected["network_myocardium_dice"] == 1.0
    assert unfound["network_scar_ml"] is None

    out = stages / "out"
    files = {study: sorted(p.name for p in study_folder(out, study).path.iterdir()) for study in (*scans, "unusable")}
    whole = ["labels.nii.gz", "overlay.png", "plain.webp", "study.json"]
    assert files == {
        "corrected": ["labels.nii.gz", "network_labels.nii.gz", "overlay.png", "plain.webp", "study.json"],
        "unfound": whole,
        "untouched": whole,
        "unusable": ["labels.nii.gz"],
    }
    assert np.array_equal(read_nifti(study_folder(out, "corrected").file(StudyFile.LABELS)).array, drawn_labels)
    kept = [
        study_folder(out, "corrected").file(StudyFile.NETWORK_LABELS),
        study_folder(out, "unusable").file(StudyFile.LABELS),
    ]
    for path in (*kept, study_folder(out, "untouched").file(StudyFile.LABELS)):
        assert path.read_bytes() == (stages / "segment/studies/corrected/labels.nii.gz").read_bytes()
    assert read_json(study_folder(out, "corrected").file(StudyFile.STUDY))["labels_source"] == "corrected"
