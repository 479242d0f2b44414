"""What the words of a refusal say, what stays inside, and how one study's damage spares the others.

That the volumes are right is in test_cases.py.
"""

import os
import zipfile
from pathlib import Path

import pytest
from dicom_cases import CASES
from dicom_cases.outcome import outcome
from dicom_series import FIRST_MM, NORMAL, make_series, save
from planted import BIRTH, DAY, TOKEN, holders, plant

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.errors import DicomError, MachineError
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.stage.folder import study_folder

DEPTH_MM = float(FIRST_MM @ NORMAL)
WORDS = {
    "a middle slice missing": f"between {DEPTH_MM + 18:.1f} and {DEPTH_MM + 36:.1f} mm (18.00 mm)",
    "one gap 3 mm wider": f"between {DEPTH_MM + 27:.1f} and {DEPTH_MM + 39:.1f} mm (12.00 mm)",
    "slices turned by 3 degrees part way": "Slice 6 of 7 (at ",
    "slices shifted in plane part way": "is shifted in plane by 2.50 mm",
    "pixels of one file cut short": "File 4 of 7 (slice at x ",
    "compressed pixels of one file cut short": "File 4 of 7 ends in the midst of its pixels",
    "rows and columns 5 degrees off a right angle": "misses by 0.0872, at most 0.01 can be repaired",
    "pixels of no size": "0.0 x 1.25 mm",
    "header of a middle slice cut short": "1 of its 7 files cannot be read",
    "all pixels zero": "All 7 slices hold a single value",
    "TI scout alone": "None of the study's 1 stacks is a short-axis stack of late enhancement",
    "no position": "No image says where it lies",
}


@pytest.mark.parametrize("name", WORDS)
def test_refusal_says_what_and_where(tmp_path: Path, name: str) -> None:
    CASES[name].write(tmp_path / "in")
    failure = outcome(tmp_path / "in", tmp_path / "out").failure
    assert failure is not None
    assert WORDS[name] in failure[1]
    assert ".dcm" not in failure[1]


def test_a_study_cut_short_leaves_the_others_unharmed(tmp_path: Path) -> None:
    cut = save(make_series(), tmp_path / "in" / "a")[3]
    cut.write_bytes(cut.read_bytes()[:-100])
    whole = make_series(series="1.2.840.99.2", study="1.2.840.99.7.2")
    save(whole, tmp_path / "in" / "b")
    results: list[str] = []
    for study in index_input(tmp_path / "in", None, IndexOptions()).studies:
        assert study.entry is not None
        try:
            convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
            results.append(str(study.entry.study_instance_uid))
        except DicomError as error:
            results.append(error.code)
    assert sorted(results) == ["1.2.840.99.7.2", "bad_pixels"]


def test_members_of_an_archive_cannot_escape(tmp_path: Path) -> None:
    paths = save(make_series()[::-1], tmp_path / "loose")
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "study.bin", "w") as archive:
        archive.writestr("../../escape.txt", "not an image")
        for path in paths:
            archive.write(path, f"../{path.name}")
    assert outcome(tmp_path / "in", tmp_path / "out").volume is not None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "loose", "out"]


def test_outputs_hold_no_name_date_or_path(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        plant(dataset)
    save(series, tmp_path / "in" / f"Person_{TOKEN}")
    assert outcome(tmp_path / "in", tmp_path / "out").volume is not None
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"image.nii.gz", "study.json"}
    assert holders(files, [text.lower().encode() for text in (TOKEN, BIRTH, DAY, str(tmp_path / "in"))]) == {}


def test_a_file_that_changed_since_the_index_in_spite_of_its_size_fails_its_study(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    study = plan(tmp_path / "in")
    assert study.entry is not None
    paths[2].write_bytes(b"something else".ljust(paths[2].stat().st_size))
    with pytest.raises(DicomError, match="File 3 of 7 ") as raised:
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
    assert raised.value.code == "changed_file"
    save(make_series(study="1.2.840.99.7.9")[2:3], tmp_path / "in", "002.dcm".format)
    with pytest.raises(DicomError, match="of several studies"):
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))


def test_an_input_that_changed_or_went_since_the_index_is_no_study_s_fault(tmp_path: Path) -> None:
    paths = save(make_series(), tmp_path / "in")
    study = plan(tmp_path / "in")
    assert study.entry is not None
    paths[2].write_bytes(paths[2].read_bytes()[:-1])
    with pytest.raises(MachineError, match=r"input changed since it was indexed: file 3 of 7 of a study has \d+ bytes"):
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
    save(make_series()[2:3], tmp_path / "in", "002.dcm".format)
    later_ns = paths[2].stat().st_mtime_ns + 3_000_000_000
    os.utime(paths[2], ns=(later_ns, later_ns))
    with pytest.raises(MachineError, match=r"file 3 of 7 of a study was written again"):
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
    paths[2].unlink()
    with pytest.raises(MachineError, match=r"file 3 of 7 of a study is gone. Run again with -resume"):
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
    (tmp_path / "in").rename(tmp_path / "away")
    with pytest.raises(MachineError, match="not there any more") as caught:
        convert_study(study.entry, tmp_path / "in", study_folder(tmp_path / "out", study.study_id))
    assert str(tmp_path) not in str(caught.value)


def plan(folder: Path) -> PlannedStudy:
    (study,) = index_input(folder, None, IndexOptions()).studies
    return study
