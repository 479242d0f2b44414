"""Results stored on a real Orthanc, read back, stored again, refused, and with the server gone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save
from exported_study import Labelled, label, read_by_dcmqi
from orthanc_server import Orthanc, orthanc_in
from pydicom import dcmread

from scarnet_cli.cli.main import cli
from scarnet_cli.errors import DicomError, InputError, PacsError
from scarnet_cli.image.volume import same_grid
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import Server, open_server
from scarnet_cli.pacs.store import store_instances
from scarnet_cli.pacs.transport import Patience

FILES = ("seg.dcm", "report.dcm")
HASTY = Patience(attempts=2, first_wait_s=0.01, longest_wait_s=0.02)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """One measured study, exported."""
    folder = tmp_path_factory.mktemp("study")
    save(make_series(), folder / "in")
    labelled = label(folder / "in", folder)
    labelled.export()
    return labelled


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc_in(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def server(orthanc: Orthanc) -> Server:
    return open_server(parse_address(orthanc.address), HASTY, orthanc.login)


def scarnet(orthanc: Orthanc, *arguments: object) -> Result:
    return CliRunner(env=dict(orthanc.login)).invoke(cli, [str(a) for a in arguments])


def test_results_are_stored_beside_the_images_and_read_back_the_same(
    orthanc: Orthanc, server: Server, study: Labelled, tmp_path: Path
) -> None:
    images = sorted(study.root.glob("*.dcm"))
    store_instances(server, images)
    for _ in range(2):  # twice is once
        result = scarnet(orthanc, "store", study.work / "export", orthanc.address)
        assert result.exit_code == 0, result.output
    uid = study.entry.study_instance_uid or ""
    found = server.ask(lambda client: client.search_for_instances(uid))
    assert len(found) == len(images) + len(FILES)
    for name in FILES:
        mine = dcmread(study.exported / name)
        theirs = server.ask(
            lambda client, mine=mine: client.retrieve_instance(uid, mine.SeriesInstanceUID, mine.SOPInstanceUID)
        )
        assert theirs == mine
        theirs.save_as(tmp_path / name, enforce_file_format=True)
    read = read_by_dcmqi(tmp_path / "seg.dcm", tmp_path / "itk")
    assert same_grid(read, study.labels)
    np.testing.assert_array_equal(read.array, study.labels.array)


def test_export_stores_at_once_where_it_is_asked_to(orthanc: Orthanc, study: Labelled, tmp_path: Path) -> None:
    before = len(orthanc.requests("POST"))
    result = scarnet(orthanc, "export", study.root, *study.results, "--out", tmp_path, "--store", orthanc.address)
    assert result.exit_code == 0, result.output
    assert len(orthanc.requests("POST")) == before + 1


def test_what_the_server_does_not_take_is_the_studys_failure(
    orthanc: Orthanc, server: Server, study: Labelled, tmp_path: Path
) -> None:
    folder = tmp_path / "studies" / "s1"
    folder.mkdir(parents=True)
    for name in FILES:
        dataset = dcmread(study.exported / name)
        del dataset.StudyInstanceUID  # no archive can file this
        dataset.save_as(folder / name)
    with pytest.raises(DicomError, match=r"^The server (does not accept|took 0 of)") as refused:
        store_instances(server, [folder / name for name in FILES])
    assert refused.value.code == "not_stored"
    result = scarnet(orthanc, "store", tmp_path, orthanc.address)
    assert result.exit_code == 1
    assert result.stderr.startswith("s1 (not_stored): ")
    assert "refused 1 study." in result.stderr


def test_a_server_that_is_gone_ends_it_in_words_and_the_next_time_finishes_it(study: Labelled, tmp_path: Path) -> None:
    with orthanc_in(tmp_path / "orthanc") as orthanc:
        server = open_server(parse_address(orthanc.address), HASTY, orthanc.login)
        paths = [study.exported / name for name in FILES]
        orthanc.kill()
        with pytest.raises(PacsError, match="cannot be reached"):
            store_instances(server, paths)
        orthanc.start()
        store_instances(server, paths)
        assert len(server.ask(lambda client: client.search_for_instances())) == len(FILES)


def test_an_address_with_a_query_is_refused(study: Labelled) -> None:
    result = CliRunner().invoke(
        cli, ["store", str(study.work), "dicomweb+https://pacs.example.org/d?StudyDate=20200101"]
    )
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "bad_address"
