"""A study that was converted, labelled by rule and measured, ready for export; and programs that judge the files."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from debian import DCIODVFY
from numpy.typing import NDArray

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.results.export_stage import export_studies
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import Volume, read_nifti
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.quantify.quantify_stage import quantify_studies
from scarnet_cli.stage.folder import StudyFile, study_folder
from scarnet_cli.stage.records import SegmentRecord

BIN = Path(__file__).parents[1] / ".venv" / "bin"
SHA256 = "5e" * 32


@dataclass(frozen=True, slots=True)
class Labelled:
    """A measured study and where its parts are."""

    entry: StudyEntry
    root: Path
    work: Path
    labels: Volume

    @property
    def study_id(self) -> str:
        return self.entry.study_id

    @property
    def results(self) -> list[Path]:
        return [self.work / "segment", self.work / "quantify"]

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.work / "quantify" / "studies" / self.study_id / "study.json").read_text())

    @property
    def exported(self) -> Path:
        return self.work / "export" / "studies" / self.study_id

    def export(self) -> Path:
        """Export it; return its folder."""
        assert export_studies(Batch(self.root, [self.entry]), self.results, self.work / "export") == []
        return self.exported


def heart(shape_zyx: tuple[int, int, int], highest: Label = Label.MVO) -> NDArray[np.uint8]:
    """Return a label map with a heart in all slices but the first and the last, off the middle on every axis.

    Args:
        shape_zyx: Slices, rows, columns.
        highest: Labels above it are not there; their voxels get it, or none where it is the blood pool.
    """
    z, y, x = shape_zyx
    labels = np.zeros(shape_zyx, np.uint8)
    rows, columns = np.mgrid[:y, :x]
    distance = np.hypot(rows - y * 0.45, columns - x * 0.55)
    labels[1 : z - 1][:, distance < y * 0.35] = 2
    labels[1 : z - 1][:, distance < y * 0.22] = 1
    quarter = (distance >= y * 0.22) & (distance < y * 0.35) & (rows < y * 0.45) & (columns > x * 0.55)
    labels[2 : z - 1][:, quarter] = 3
    labels[2][quarter & (distance < y * 0.27)] = 4
    labels[labels > highest] = Label.BACKGROUND if highest == Label.BLOOD_POOL else highest
    return labels


def label(source: Path, work: Path, highest: Label = Label.MVO, pseudonyms: Pseudonyms | None = None) -> Labelled:
    """Index, convert, label and measure the one study of a folder or archive."""
    intake = index_input(source, None, IndexOptions(pseudonyms=pseudonyms))
    (study,) = intake.studies
    assert study.entry is not None, study.failure
    convert_study(study.entry, intake.root, study_folder(work / "convert", study.study_id))
    image = read_nifti(work / "convert" / "studies" / study.study_id / "image.nii.gz")
    labels = image.with_array(heart(image.shape_zyx, highest))
    folder = study_folder(work / "segment", study.study_id)
    folder.write_volume(StudyFile.LABELS, labels)
    record = SegmentRecord(study.study_id, 0.9, None, None, "scarnet", SHA256, "default", "cpu", ())
    folder.write_record(StudyFile.SEGMENT_RECORD, record)
    assert quantify_studies(work / "convert", work / "segment", work / "quantify") == []
    return Labelled(study.entry, Path(str(intake.root)), work, labels)


def judge(path: Path) -> list[str]:
    """Return what dciodvfy says of a file, errors and warnings; skips where it is not installed."""
    program = DCIODVFY.find()
    if program is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False, timeout=60)
    return [line for line in done.stderr.splitlines() if line.startswith(("Error", "Warning"))]


def dcmqi(program: str, *arguments: object) -> str:
    """Run one of dcmqi's programs; skips where it is not installed."""
    path = BIN / program
    if not path.exists():
        pytest.skip(f"{program} (dcmqi of PyPI) is not installed")
    done = subprocess.run([str(path), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_by_dcmqi(path: Path, out: Path) -> Volume:
    """Return the label map that dcmqi makes of a Segmentation."""
    out.mkdir()
    dcmqi("segimage2itkimage", "--inputDICOM", path, "--outputDirectory", out, "--mergeSegments", "-t", "nii")
    (image,) = out.glob("*.nii.gz")
    return read_nifti(image)
