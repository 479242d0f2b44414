"""--deidentify from end to end: what identifies is planted everywhere, and nothing of it is in any result or log."""

import shutil
import zipfile
from pathlib import Path

import nibabel as nib
import pyarrow.parquet as pq
import pydicom
import pytest
from nextflow_launch import SMALL_NETWORK, Launch
from planted import TOKEN, holders, plant, plant_shown, secrets_of
from pydicom.dataset import FileDataset

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.phantom.cohort import write_cohort
from scarnet_cli.stage.folder import study_folder

pytestmark = pytest.mark.pipeline

KEY = b"0123456789abcdef" * 3
STUDIES = [f"{TOKEN}_Smith_{n}" for n in range(1, 5)]
ONE_BY_ONE = (*SMALL_NETWORK, "--dicom_results", "--max_cpus", "1")


class Cohort:
    """Four studies of one phantom: two to be measured, one that INDEX refuses and one that CONVERT does."""

    def __init__(self, folder: Path, made: Path) -> None:
        self.folder = folder
        self.datasets = [pydicom.dcmread(path) for path in sorted(made.rglob("*")) if path.is_file()]
        for dataset in self.datasets:
            plant(dataset)
            plant_shown(dataset)
        whole = self._save(self.datasets, f"{TOKEN}_folder")
        self._zip(self._save(self._short_stack(), f"{TOKEN}_short"), folder / f"{TOKEN}_archive.zip")
        for path in self._save(self.datasets, f"{TOKEN}_cut").iterdir():
            path.write_bytes(path.read_bytes()[:-1000] + f"{TOKEN}-damage".encode())
        self._nifti(whole, folder / f"{TOKEN}_volume.nii.gz")
        sources = (whole.name, f"{TOKEN}_archive.zip", f"{TOKEN}_cut", f"{TOKEN}_volume.nii.gz")
        rows = [f"{study},{source},{TOKEN}-patient,Oslo" for study, source in zip(STUDIES, sources, strict=True)]
        self.sheet = folder / "sheet.csv"
        self.sheet.write_text("\n".join(["study,dicom,patient,site", *rows]) + "\n")

    def _save(self, datasets: list[FileDataset], name: str) -> Path:
        target = self.folder / name
        target.mkdir()
        for number, dataset in enumerate(datasets):
            dataset.save_as(target / f"{TOKEN}^file^{number}")
        return target

    def _short_stack(self) -> list[FileDataset]:
        """Return three slices of what is named as LGE, too few for a stack: a message will quote the name."""
        return [dataset for dataset in self.datasets if "PSIR" in dataset.SeriesDescription][:3]

    @staticmethod
    def _zip(source: Path, target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            for path in source.iterdir():
                archive.write(path, f"{TOKEN}_member/{path.name}")
        shutil.rmtree(source)

    @staticmethod
    def _nifti(source: Path, target: Path) -> None:
        (study,) = index_input(source, {}, IndexOptions()).studies
        assert study.entry is not None
        convert_study(study.entry, source, study_folder(source.parent / "plain", study.study_id))
        image = nib.Nifti1Image.from_filename(source.parent / "plain" / "studies" / study.study_id / "image.nii.gz")
        image.header["descrip"], image.header["aux_file"] = f"{TOKEN}-descrip", f"{TOKEN}-aux"
        image.header["intent_name"], image.header["db_name"] = f"{TOKEN}-intent", f"{TOKEN}-db"
        nib.save(image, target)
        shutil.rmtree(source.parent / "plain")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(1, folder / "made")
    return Cohort(folder, folder / "made" / "dicom")


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory, cohort: Cohort) -> Launch:
    launch = Launch(tmp_path_factory.mktemp("launch"))
    key = launch.folder / "secret.key"
    key.write_bytes(KEY)
    arguments = ("--input", str(cohort.sheet), "--deidentify", *ONE_BY_ONE)
    output = launch.succeed(*arguments, extra={"SCARNET_DEIDENTIFY_KEY": str(key)})
    (launch.folder / "terminal.txt").write_text(output)
    return launch


def test_every_study_is_there_under_its_pseudonym(launch: Launch) -> None:
    pseudonyms = Pseudonyms(KEY)
    first, short, cut, nifti = (pseudonyms.study(study) for study in STUDIES)
    assert set(launch.ids("scans")) == {first, nifti}
    assert set(launch.ids("failures")) == {short, cut}
    rows = pq.read_table(launch.out / "tables" / "scans.parquet").to_pylist()
    assert {(row["patient"], row["site"]) for row in rows} == {(pseudonyms.patient(f"{TOKEN}-patient"), "Oslo")}
    assert {row["manufacturer"] for row in rows} == {"SIEMENS …", None}


def test_names_of_series_keep_the_words_that_are_known(launch: Launch) -> None:
    rows = pq.read_table(launch.out / "tables" / "series.parquet").to_pylist()
    chosen = [row for row in rows if row["chosen"]]
    assert chosen
    assert all("…" in row["description"] and len(row["description"]) > 3 for row in chosen)
    failures = pq.read_table(launch.out / "tables" / "failures.parquet").to_pylist()
    assert any("Nearest was 'de_sax_tfl_…_PSIR …'" in row["message"] for row in failures)


def test_nothing_planted_is_in_any_result(launch: Launch, cohort: Cohort) -> None:
    files = [path for path in launch.out.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"seg.dcm", "report.dcm", "image.nii.gz", "overlay.png", "index.html"}
    assert holders(files, secrets_of(cohort.datasets)) == {}
    assert not (launch.out / "pipeline_info" / "index.parquet").exists()


def test_nothing_planted_is_in_any_log(launch: Launch, cohort: Cohort) -> None:
    logs = [path for path in launch.folder.glob("work/*/*/.*") if path.is_file()]
    logs += [path for path in launch.folder.glob(".nextflow*/**/*") if path.is_file()]
    logs += [launch.folder / ".nextflow.log", launch.folder / "terminal.txt"]
    assert sum(path.name == ".command.log" for path in logs) >= 7
    assert holders(logs, secrets_of(cohort.datasets)) == {}


def test_in_the_work_directory_only_the_batches_and_the_indexs_memory_know_names(
    launch: Launch, cohort: Cohort
) -> None:
    files = [path for path in launch.folder.glob("work/**/*") if path.is_file() and not path.is_symlink()]
    found = holders(files, secrets_of(cohort.datasets))
    assert {Path(path).name for path in found} <= {
        "index.parquet",
        *(path.name for path in launch.folder.glob("work/*/*/index/batches/*")),
    }
    assert any("batches" in path for path in found)  # the search does find what is there


def test_resume_takes_the_indexs_memory_from_the_work_directory_and_runs_no_other_task(
    launch: Launch, cohort: Cohort
) -> None:
    assert (launch.folder / "work" / "index.parquet").exists()
    arguments = ("--input", str(cohort.sheet), "--deidentify", "--deidentify_key", "secret.key", *ONE_BY_ONE)
    launch.succeed(*arguments, "-resume")
    assert launch.tasks("COMPLETED") == {("INDEX", "input")}
    stages = {"CONVERT", "CROP", "SEGMENT", "QUANTIFY", "EXPORT"}
    assert {process for process, _ in launch.tasks("CACHED")} == {"CHECK", *stages, "GATHER", "REPORT"}
    assert launch.held() == launch.made()
    assert not (launch.out / "earlier_run").exists()
    assert "secret.key" not in (launch.out / "pipeline_info" / "parameters.json").read_text()
