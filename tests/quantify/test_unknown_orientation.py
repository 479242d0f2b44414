"""A stack whose file does not say how it lies in the patient is measured, but for what needs to know that."""

from pathlib import Path

import nibabel
import pytest
from click.testing import CliRunner
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.cli.main import cli
from scarnet_cli.image.volume import write_nifti
from scarnet_cli.tables.parquet import read_table


@pytest.fixture
def files(tmp_path: Path) -> Path:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=6))
    for name, volume in (("image", image), ("labels", labels)):
        write_nifti(volume, tmp_path / f"{name}.nii.gz")
        written = nibabel.load(tmp_path / f"{name}.nii.gz")
        without = nibabel.Nifti1Image(written.dataobj[:], None, written.header)  # type: ignore[attr-defined]
        without.header["sform_code"] = without.header["qform_code"] = 0
        nibabel.save(without, tmp_path / f"{name}_unknown.nii.gz")
    return tmp_path


def test_volumes_are_measured_and_segments_are_null(files: Path) -> None:
    rows = {}
    for name in ("", "_unknown"):
        pair = [str(files / f"{kind}{name}.nii.gz") for kind in ("image", "labels")]
        done = CliRunner().invoke(cli, ["quantify", *pair, "--out", str(files / f"out{name}")])
        assert done.exit_code == 0, done.output
        tables = ("scans", "slices", "segments")
        rows[name] = {table: read_table(files / f"out{name}" / f"{table}.parquet").to_pylist() for table in tables}
    known, unknown = rows[""]["scans"][0], rows["_unknown"]["scans"][0]
    assert unknown["scar_ml"] == pytest.approx(known["scar_ml"])
    assert unknown["scar_5sd_percent_lv"] == pytest.approx(known["scar_5sd_percent_lv"], abs=0.5)
    assert "orientation_unknown" in unknown["flags"]
    assert "orientation_unknown" not in known["flags"]
    assert (unknown["apex_source"], unknown["rv_insertion_source"]) == (None, None)
    assert {row["level"] for row in rows["_unknown"]["slices"]} == {None}
    segments = rows["_unknown"]["segments"]
    assert [row.pop("segment") for row in segments] == list(range(1, 18))
    assert {value for row in segments for name, value in row.items() if name != "study_id"} == {None}
