from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from shells import CENTRE, SEPTAL, Grid, Shell, Wedge, make_shell

from scarnet_cli.cli.main import cli
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.tables.parquet import read_table


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """Image and label map of a shell with a wedge in segment 9."""
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=3))
    write_nifti(image, tmp_path / "heart.7.nii.gz")
    write_nifti(labels, tmp_path / "labels.nii")
    return str(tmp_path / "heart.7.nii.gz"), str(tmp_path / "labels.nii")


def test_two_files_are_named_after_the_image(pair: tuple[str, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["quantify", *pair, "--out", str(tmp_path / "out")])
    assert (result.exit_code, result.output) == (0, "")
    assert read_table(tmp_path / "out" / "scans.parquet")["study_id"].to_pylist() == ["heart.7"]


def test_name_and_insertion_can_be_given(pair: tuple[str, str], tmp_path: Path) -> None:
    # the insertion is put where the septum's middle was: what was at 60 degrees from it is at 0, segment 9 becomes 8
    point = [f"{value:.3f}" for value in CENTRE + 34 * SEPTAL]
    options = ["--study-id", "me", "--rv-insertion", *point, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, ["quantify", *pair, *options])
    assert result.exit_code == 0
    segments = read_table(tmp_path / "out" / "segments.parquet").to_pylist()
    assert {row["study_id"] for row in segments} == {"me"}
    mid = [row["scar_percent"] for row in segments if 7 <= row["segment"] <= 12]
    assert max(mid) == mid[1] == pytest.approx(100 * 40 / 60, abs=30)


def test_a_label_map_of_a_batch_is_wrong_usage_for_two_files(pair: tuple[str, str], tmp_path: Path) -> None:
    options = ["--out", str(tmp_path / "out"), "--label-map", "me", "corrected", pair[1]]
    result = CliRunner().invoke(cli, ["quantify", *pair, *options])
    assert result.exit_code == 2
    assert "--label-map is for the pipeline's batches" in result.output


@pytest.mark.parametrize("options", [["--study-id", "me"], ["--rv-insertion", "1", "2", "3"]])
def test_options_for_two_files_are_wrong_usage_for_directories(tmp_path: Path, options: list[str]) -> None:
    result = CliRunner().invoke(cli, ["quantify", str(tmp_path), str(tmp_path), "--out", str(tmp_path / "o"), *options])
    assert result.exit_code == 2
    assert "are for two files" in result.output


def test_file_and_directory_are_wrong_usage(pair: tuple[str, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["quantify", pair[0], str(tmp_path), "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert "two files or two directories" in result.output


def test_another_tools_label_map_is_measured_as_ours(pair: tuple[str, str], tmp_path: Path) -> None:
    ours = read_nifti(Path(pair[1]))
    theirs = ours.with_array(np.array([600, 500, 200, 1220], np.int16)[ours.array])
    write_nifti(theirs, tmp_path / "theirs.nii.gz")
    write_nifti(ours, tmp_path / "ours.nii.gz")  # a header rounds each time it is written
    rows = "value,label\n600,background\n500,blood_pool\n200,myocardium\n1220,scar\n"
    (tmp_path / "values.csv").write_text(rows)
    for labels, options, out in (
        ("ours.nii.gz", [], "ours"),
        ("theirs.nii.gz", ["--label-values", str(tmp_path / "values.csv")], "theirs"),
    ):
        command = ["quantify", pair[0], str(tmp_path / labels), *options, "--out", str(tmp_path / out)]
        assert CliRunner().invoke(cli, command).exit_code == 0
    for table in ("scans", "slices", "segments"):
        ours_then_theirs = [read_table(tmp_path / out / f"{table}.parquet").to_pylist() for out in ("ours", "theirs")]
        assert ours_then_theirs[0] == ours_then_theirs[1]


def test_unknown_label_values_end_with_what_to_do(pair: tuple[str, str], tmp_path: Path) -> None:
    ours = read_nifti(Path(pair[1]))
    write_nifti(ours.with_array(ours.array + np.uint8(7)), tmp_path / "theirs.nii.gz")
    result = CliRunner().invoke(cli, ["quantify", pair[0], str(tmp_path / "theirs.nii.gz"), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "say what they mean in a table (--label-values)" in str(result.exception)
