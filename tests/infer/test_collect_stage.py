"""Label maps that another network's command left become those of the studies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from labelled_study import CONVERTED
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.cli.segment import segment
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.infer.collect_stage import CommandLabels
from scarnet_cli.quantify.quantify_stage import quantify_studies
from scarnet_cli.stage.folder import StudyFile, study_folder
from scarnet_cli.stage.records import SegmentRecord
from scarnet_cli.tables.parquet import read_table

COMMAND = "/home/me/bin/predict -i {images} -o {labels}"


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    """CONVERT's output, and label maps in values of their own of all studies but one; another is of other voxels."""
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    for study_id in ("good", "missing", "odd"):
        convert = study_folder(tmp_path / "convert", study_id)
        convert.write_volume(StudyFile.IMAGE, image)
        convert.write_record(StudyFile.STUDY, replace(CONVERTED, study_id=study_id, component="magnitude"))
    write_nifti(labels.with_array((labels.array * 10).astype(np.float32)), tmp_path / "labels" / "good.nii.gz")
    write_nifti(replace(labels, spacing_zyx_mm=(9.0, 9.0, 9.0)), tmp_path / "labels" / "odd.nii.gz")
    (tmp_path / "values.csv").write_text("value,label\n10,blood_pool\n20,myocardium\n30,scar\n40,mvo\n")
    return tmp_path


def collect(stages: Path, *options: str) -> str:
    words = [str(stages / "convert"), "--labels", str(stages / "labels"), "--out", str(stages / "segment"), *options]
    return CliRunner().invoke(segment, words, catch_exceptions=False).stderr


def test_label_maps_are_translated_and_a_study_without_one_or_with_another_grid_fails(stages: Path) -> None:
    assert "2 studies failed" in collect(stages, "--command", COMMAND, "--label-values", str(stages / "values.csv"))
    failures = read_table(stages / "segment" / "failures.parquet").to_pylist()
    assert [(row["study_id"], row["stage"], row["code"]) for row in failures] == [
        ("missing", "segment", "no_label_map"),
        ("odd", "segment", "labels_unusable"),
    ]
    folder = study_folder(stages / "segment", "good")
    _, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    assert np.array_equal(read_nifti(folder.file(StudyFile.LABELS)).array, labels.array)
    record = folder.read_record(StudyFile.SEGMENT_RECORD, SegmentRecord)
    assert (record.model, record.segment_mode) == ("predict -i {images} -o {labels}", "command")
    assert record.confidence is record.device is None

    quantify_studies(stages / "convert", stages / "segment", stages / "quantify")
    (row,) = read_table(stages / "quantify" / "scans.parquet").to_pylist()
    assert (row["labels_source"], row["model"], row["confidence"]) == ("network", record.model, None)
    assert row["model_sha256"] == record.model_sha256
    # that is what our network does not know of, not what theirs does
    assert "magnitude_image" not in row["flags"]


def test_the_command_s_name_has_no_folders() -> None:
    command = "model=/data/x '/home/Jane Doe/bin/predict' {files}/run.py -i {images} -o {labels}\n"
    name = CommandLabels(Path(), command).name
    assert name == "model=x 'predict' run.py -i {images} -o {labels}"


def test_weights_and_label_maps_exclude_each_other(stages: Path) -> None:
    assert "Give either --weights, or --labels" in collect(stages, "--command", COMMAND, "--weights", "unet")
    assert "--labels and --command go together" in collect(stages)
