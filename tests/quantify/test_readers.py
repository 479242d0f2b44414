"""Several readers' label maps of one study, compared two by two."""

from pathlib import Path

import numpy as np
import pytest
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import write_nifti
from scarnet_cli.quantify.measures import measure_study
from scarnet_cli.quantify.readers import ReadStudy, compare_readers
from scarnet_cli.stage.records import LabelMapFile


@pytest.fixture
def study() -> ReadStudy:
    """A made heart; reader `a` draws its scar, `b` in one slice less, `c` writes no label map."""
    return ReadStudy(
        "s", make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))[0], None, is_oriented=True
    )


@pytest.fixture
def files(tmp_path: Path) -> list[LabelMapFile]:
    _, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    drawn = labels.array.copy()
    drawn[2][drawn[2] == Label.SCAR] = Label.MYOCARDIUM
    write_nifti(labels, tmp_path / "a.nii.gz")
    write_nifti(labels.with_array(drawn), tmp_path / "b.nii.gz")
    (tmp_path / "c.nii.gz").write_bytes(b"nothing")
    return [LabelMapFile(str(tmp_path / f"{name}.nii.gz"), "corrected", name) for name in "bac"]


def test_each_two_readers_are_a_row_with_both_readers_measures(study: ReadStudy, files: list[LabelMapFile]) -> None:
    rows, flags = compare_readers(study, files[:2], None)
    assert flags == ()
    (row,) = rows
    assert (row.study_id, row.first_reader, row.second_reader) == ("s", "a", "b")
    _, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    whole = measure_study(study.image, labels)
    assert row.first.scar_percent_lv == whole.scan.scar_percent_lv
    assert row.first.scar_segments == tuple(str(s.segment) for s in whole.segments if s.scar_ml)
    # the same wedge in five slices and in four
    assert row.second.scar_ml / row.first.scar_ml == pytest.approx(4 / 5, abs=0.01)
    assert row.scar_dice == pytest.approx(2 * 4 / (5 + 4), abs=0.01)
    assert row.myocardium_dice == row.blood_pool_dice == row.mvo_dice == 1.0
    assert row.first.myocardium_g == pytest.approx(row.second.myocardium_g)


def test_a_label_map_that_cannot_be_used_is_flagged_and_the_others_are_compared(
    study: ReadStudy, files: list[LabelMapFile]
) -> None:
    rows, flags = compare_readers(study, files, None)
    assert [(row.first_reader, row.second_reader) for row in rows] == [("a", "b")]
    assert flags == ("reader_unusable",)


def test_one_reader_is_not_compared(study: ReadStudy, files: list[LabelMapFile]) -> None:
    consensus = LabelMapFile(files[0].path, "corrected")
    assert compare_readers(study, [consensus, files[1]], None) == ([], ())


def test_segments_are_unknown_where_the_orientation_is(study: ReadStudy, files: list[LabelMapFile]) -> None:
    (row,), _ = compare_readers(ReadStudy("s", study.image, None, is_oriented=False), files[:2], None)
    assert row.first.scar_segments is row.second.scar_segments is None
    assert np.isfinite(row.first.scar_ml)
