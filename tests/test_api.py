"""Python in place of the command line: the page's examples run, and the numbers are the pipeline's."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from shells import Grid, Shell, Wedge, make_shell

import scarnet_cli as scarnet
from scarnet_cli.cli.run import run
from scarnet_cli.errors import GeometryError, InputError
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import read_nifti, to_sitk, write_nifti
from scarnet_cli.phantom.cohort import write_cohort
from scarnet_cli.tables.parquet import read_table

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's study, and weights of which a small network has the default's name."""
    folder = tmp_path_factory.mktemp("python")
    write_cohort(1, folder / "made")
    (source,) = (folder / "made" / "dicom").iterdir()
    source.rename(folder / "patient-7")
    (study,) = scarnet.convert(folder / "patient-7").studies
    scarnet.write(study.image, folder / "lge.nii.gz")
    (folder / "weights").mkdir()
    shutil.copy(ROOT / "weights" / "unet.safetensors", folder / "weights" / "scarnet.safetensors")
    return folder


@pytest.fixture(scope="module")
def names(folder: Path) -> dict[str, Any]:
    """Run every block of the page, and return the names that they leave."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SCARNET_WEIGHTS", str(folder / "weights"))
        for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
            exec(code, names)
    return names


def test_the_page_s_examples_run_and_its_images_are_one(names: dict[str, Any]) -> None:
    assert names["conversion"].failures == ()
    read, *others = (names[name].image.array for name in ("from_file", "from_sitk", "from_array", "study"))
    for array in others[:2]:
        assert np.array_equal(array, read)
    # of NIfTI the rows and columns run as a reader sees them, whatever the scanner's order
    assert np.array_equal(np.sort(others[2], axis=None), np.sort(read, axis=None))
    assert names["from_labels_file"] == names["same"]
    assert names["scan"]["scar_percent_lv"] == names["measures"].scan.scar_percent_lv
    assert len(names["segments"]) == 17


def test_the_numbers_and_labels_are_those_of_scarnet_run(names: dict[str, Any], folder: Path) -> None:
    options = ["--weights-dir", str(folder / "weights")]
    done = CliRunner().invoke(run, [str(folder / "patient-7"), str(folder / "out"), *options], catch_exceptions=False)
    assert done.exit_code == 0
    (row,) = read_table(folder / "out" / "tables" / "scans.parquet").to_pylist()
    assert {name: row[name] for name in names["scan"]} == names["scan"]
    assert row["confidence"] == names["labels"].record.confidence
    labels = read_nifti(folder / "out" / "studies" / row["study_id"] / "labels.nii.gz")
    assert np.array_equal(labels.array, names["labels"].labels.array)


def test_a_label_map_in_any_form_is_measured_alike_and_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    study = scarnet.read(to_sitk(image))
    write_nifti(labels, tmp_path / "labels.nii.gz")
    drawn = scarnet.measure(study, labels)
    for other in (to_sitk(labels), tmp_path / "labels.nii.gz", str(tmp_path / "labels.nii.gz")):
        assert scarnet.measure(study, other) == drawn
    assert drawn.scan.scar_ml == pytest.approx(float((labels.array >= Label.SCAR).sum()) * labels.voxel_ml)
    with pytest.raises(GeometryError, match="label values"):
        scarnet.measure(study, study.image.array)
    with pytest.raises(GeometryError, match="resample it first"):
        scarnet.measure(study, labels.array[1:])


def test_an_array_needs_its_spacing_and_has_no_segments() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    with pytest.raises(InputError, match="goes with an array, which needs it"):
        scarnet.read(image.array)
    with pytest.raises(InputError, match="goes with an array, which needs it"):
        scarnet.read("lge.nii.gz", spacing_zyx_mm=(8.0, 1.0, 1.0))
    study = scarnet.read(image.array, spacing_zyx_mm=image.spacing_zyx_mm)
    assert study.flags == ("orientation_unknown",)
    measures = scarnet.measure(study, labels.array)
    assert measures.scan.scar_ml > 0
    assert {segment.scar_percent for segment in measures.segments} == {None}


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, scarnet_cli; print(sorted(m for m in sys.modules if m.startswith(('scarnet_cli.', 'numpy'))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert {"read", "convert", "segment", "measure"} <= set(dir(scarnet))
    with pytest.raises(AttributeError, match="has no attribute 'meassure'"):
        scarnet.meassure  # noqa: B018 (that is the point)
