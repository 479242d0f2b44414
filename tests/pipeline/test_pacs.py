"""From a real Orthanc to the tables and back, the server killed half way; login and query leave no trace."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from exported_study import read_by_dcmqi
from highdicom.sr import MeasurementReport, srread
from nextflow_launch import BIN, PATIENCE_S, SMALL_NETWORK, Launch, environment
from orthanc_server import PASSWORD, USER, Orthanc, orthanc_in
from pydicom import dcmread

from scarnet_cli.dicom.results.codes import VOLUME
from scarnet_cli.image.volume import read_nifti, same_grid
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import Server, open_server
from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

STUDIES = 3


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_cohort(STUDIES, folder)
    return folder / "dicom"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Iterator[Orthanc]:
    """A server that takes its time over images, with all phantoms stored."""
    with orthanc_in(tmp_path_factory.mktemp("orthanc"), slow=True) as server:
        images = [dcmread(path) for path in sorted(phantoms.rglob("*")) if path.is_file()]
        for start in range(0, len(images), 20):
            opened(server).ask(lambda client, start=start: client.store_instances(images[start : start + 20]))
        yield server


def opened(server: Orthanc) -> Server:
    return open_server(parse_address(server.address), environment=server.login)


def stored(server: Server, study_uid: str, modality: str, path: Path) -> Path:
    """Read the one instance of a modality back from the server."""
    found = server.ask(lambda client: client.search_for_instances(study_uid, search_filters={"Modality": modality}))
    uids = {(item["0020000E"]["Value"][0], item["00080018"]["Value"][0]) for item in found}
    ((series, sop),) = uids
    server.ask(lambda client: client.retrieve_instance(study_uid, series, sop)).save_as(path, enforce_file_format=True)
    return path


def test_there_and_back_again_with_the_server_killed_half_way(tmp_path: Path, phantoms: Path, orthanc: Orthanc) -> None:
    launch = Launch(tmp_path / "launch")
    launch.folder.mkdir()
    # a query with a name belongs in a parameter file: Nextflow's log shows its command line
    (tmp_path / "parameters.yml").write_text(f"input: '{orthanc.address}?PatientName=PHANTOM*&ModalitiesInStudy=MR'\n")
    arguments = ("-params-file", str(tmp_path / "parameters.yml"), "--store_to", orthanc.address, *SMALL_NETWORK)
    login = {**orthanc.login, "SCARNET_PACS_ATTEMPTS": "1"}
    command = [BIN / "scarnet", "run", *SMALL_NETWORK, phantoms, tmp_path / "files"]
    from_files = subprocess.Popen(command, env=environment())

    killer = orthanc.kill_after_images(5)
    failed = launch.run(*arguments, extra=login)
    assert failed.returncode != 0
    assert f"The DICOMweb server 127.0.0.1:{orthanc.port} cannot be reached" in failed.stdout
    killer.join()
    come = {path.name for path in (launch.folder / "work" / "dicomweb").rglob("*.dcm")}
    assert come

    orthanc.start()
    since = len(orthanc.requests())
    launch.succeed(*arguments, "-resume", extra=login)
    asked = [path for path in orthanc.requests()[since:] if "/instances/" in path]
    everything = {path.name for path in (launch.folder / "work" / "dicomweb").rglob("*.dcm")}
    assert len(asked) == len(set(asked)) == len(everything - come)

    assert from_files.wait(PATIENCE_S) == 0
    assert_same_results(launch.out, tmp_path / "files")
    for row in pq.read_table(launch.out / "tables" / "scans.parquet").to_pylist():
        uid, study = row["study_instance_uid"], row["study_id"]
        server = opened(orthanc)
        segmentation = stored(server, uid, "SEG", tmp_path / f"{study}.dcm")
        labels = read_nifti(launch.out / "studies" / study / "labels.nii.gz")
        read = read_by_dcmqi(segmentation, tmp_path / study)
        assert same_grid(labels, read)
        np.testing.assert_array_equal(labels.array, read.array)
        report = srread(stored(server, uid, "SR", tmp_path / f"{study}_sr.dcm"))
        assert isinstance(report.content, MeasurementReport)
        assert scar_ml(report.content) == pytest.approx(row["scar_ml"])
    assert_no_trace(launch, PASSWORD)
    assert_no_trace(launch, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    assert_no_trace(launch, "PHANTOM*", but=(".command.sh", ".sst", ".log"))


def scar_ml(report: MeasurementReport) -> float:
    groups = report.get_volumetric_roi_measurement_groups()
    (scar,) = (group for group in groups if group.tracking_identifier == "scar")
    return next(measure.value for measure in scar.get_measurements() if measure.name == VOLUME)


def assert_same_results(server: Path, files: Path) -> None:
    scans, expected = (pq.read_table(out / "tables" / "scans.parquet").to_pylist() for out in (server, files))
    assert len(scans) == STUDIES
    assert scans == expected
    for table in ("slices", "segments", "series"):
        tables = [pq.read_table(out / "tables" / f"{table}.parquet") for out in (server, files)]
        assert tables[0].to_pylist() == tables[1].to_pylist()
    for row in expected:
        for name in ("image.nii.gz", "labels.nii.gz"):
            path = Path("studies", row["study_id"], name)
            assert (server / path).read_bytes() == (files / path).read_bytes()


def assert_no_trace(launch: Launch, secret: str, but: tuple[str, ...] = ()) -> None:
    """Look for a secret in all that a run left, but in files of these endings, of which Nextflow's own log is none."""
    for path in launch.folder.rglob("*"):
        if path.is_file() and (path.name.startswith(".nextflow.log") or not path.name.endswith(but or ("\0",))):
            assert secret.encode() not in path.read_bytes(), path
