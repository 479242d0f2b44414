"""From a server to volumes: the same studies from a real Orthanc and from files; and servers that say too little."""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save
from odd_server import LOGIN, Reply, dicom_json, listed, multipart, odd_server
from orthanc_server import PASSWORD, Orthanc, orthanc_in
from pydicom.dataset import Dataset

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import open_server

# Study UIDs with the slices of each: the second is a scout alone, so that nothing can be chosen of it.
STUDIES = {"1.2.840.99.7.1": 7, "1.2.840.99.7.2": 8, "1.2.840.99.7.3": 6}
SCOUT = "1.2.840.99.7.3"
HASTY = {"SCARNET_PACS_ATTEMPTS": "1"}


def datasets(uid: str, slices: int) -> list[Dataset]:
    name = "localizer" if uid == SCOUT else "LGE_SAX_PSIR"
    images = make_series(slices, study=uid, series=f"{uid}.5", name=name)
    for image in images:
        image.AccessionNumber = f"A{uid[-1]}"
        image.preamble = b"\0" * 128
        if uid == SCOUT:
            image.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    return images


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc_in(tmp_path_factory.mktemp("orthanc")) as server:
        client = open_server(parse_address(server.address), environment=server.login)
        for uid, slices in STUDIES.items():
            client.ask(lambda c, uid=uid, slices=slices: c.store_instances(datasets(uid, slices)))
        yield server


def scarnet(login: object, *arguments: object) -> Result:
    result = CliRunner(env={**dict(login), **HASTY}).invoke(cli, [str(a) for a in arguments])  # type: ignore[call-overload] # a mapping
    assert PASSWORD not in result.output
    return result


def index(server: Orthanc, out: Path, *more: object, query: str = "?ModalitiesInStudy=MR") -> Result:
    sizes = ("--batch-min", "1", "--batch-max", "9")
    return scarnet(server.login, "index", server.address + query, "--out", out, *sizes, *more)


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def images(server: Orthanc, since: int = 0) -> list[str]:
    """Return what was asked for of instances themselves."""
    return [path for path in server.requests()[since:] if "/instances/" in path]


def test_studies_from_a_server_are_those_of_their_files_voxel_by_voxel(orthanc: Orthanc, tmp_path: Path) -> None:
    for uid, slices in STUDIES.items():
        save(datasets(uid, slices), tmp_path / "dicom" / uid)
    assert index(orthanc, tmp_path / "index").exit_code == 0
    (batch,) = (tmp_path / "index" / "batches").glob("*.json")
    since = len(orthanc.requests())
    result = scarnet(orthanc.login, "fetch", batch, "--out", tmp_path / "fetched")
    assert result.exit_code == 0, result.output
    assert len(images(orthanc, since)) == 7 + 8  # the chosen stacks alone
    assert scarnet({}, "convert", tmp_path / "fetched", "--out", tmp_path / "volumes").exit_code == 0

    assert scarnet({}, "index", tmp_path / "dicom", "--out", tmp_path / "files").exit_code == 0
    (planned,) = (tmp_path / "files" / "batches").glob("*.json")
    assert scarnet({}, "convert", planned, "--out", tmp_path / "expected").exit_code == 0
    expected = sorted(path for path in (tmp_path / "expected" / "studies").rglob("*") if path.is_file())
    assert sum(path.name == "image.nii.gz" for path in expected) == 2
    for path in expected:
        assert path.read_bytes() == (tmp_path / "volumes" / path.relative_to(tmp_path / "expected")).read_bytes()
    for table in ("series", "failures"):
        assert rows(tmp_path / "index" / f"{table}.parquet") == rows(tmp_path / "files" / f"{table}.parquet")


def test_a_batch_that_is_not_fetched_is_refused(orthanc: Orthanc, tmp_path: Path) -> None:
    index(orthanc, tmp_path / "index")
    (batch,) = (tmp_path / "index" / "batches").glob("*.json")
    result = scarnet({}, "convert", batch, "--out", tmp_path / "volumes")
    assert result.exit_code == 1
    assert "scarnet fetch" in str(result.exception)


def test_under_pseudonyms_tables_and_volumes_of_a_server_know_no_original_uid(orthanc: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef" * 2)
    key = ("--deidentify", "--deidentify-key", tmp_path / "key")
    result = index(orthanc, tmp_path / "index", *key)
    assert result.exit_code == 0, result.output
    (batch,) = (tmp_path / "index" / "batches").glob("*.json")
    assert scarnet(orthanc.login, "fetch", batch, "--out", tmp_path / "fetched").exit_code == 0
    assert scarnet({}, "convert", tmp_path / "fetched", "--out", tmp_path / "volumes").exit_code == 0
    tables = [rows(tmp_path / "index" / f"{name}.parquet") for name in ("studies", "series", "failures")]
    volumes = list((tmp_path / "volumes" / "studies").iterdir())
    assert len(volumes) == 2
    told = json.dumps(tables) + "".join((folder / "study.json").read_text() for folder in volumes)
    for uid in STUDIES:
        assert uid not in told
        assert study_id_from_uid(uid) not in told + str(volumes)
    assert all(uid.startswith("2.25.") for uid in (row["series_instance_uid"] for row in tables[1]))


def test_headers_are_asked_for_again_only_of_studies_that_have_changed(orthanc: Orthanc, tmp_path: Path) -> None:
    query = f"?StudyInstanceUID={next(iter(STUDIES))}"
    index(orthanc, tmp_path / "first", query=query)
    since = len(orthanc.requests())
    index(orthanc, tmp_path / "second", "--previous", tmp_path / "first" / "index.parquet", query=query)
    assert not [path for path in orthanc.requests()[since:] if "metadata" in path]
    for name in ("studies.parquet", "series.parquet", "index.parquet"):
        assert rows(tmp_path / "second" / name) == rows(tmp_path / "first" / name)
    since = len(orthanc.requests())
    index(orthanc, tmp_path / "all", "--previous", tmp_path / "first" / "index.parquet")
    assert len([path for path in orthanc.requests()[since:] if "metadata" in path]) == 2


def test_what_is_stored_back_makes_no_other_study_of_it(orthanc: Orthanc, tmp_path: Path) -> None:
    uid = next(iter(STUDIES))
    query = f"?StudyInstanceUID={uid}"
    index(orthanc, tmp_path / "first", query=query)
    result = make_series(1, study=uid, series=f"{uid}.77", name="our result")[0]
    result.Modality, result.SOPInstanceUID = "SEG", f"{uid}.77.1"
    client = open_server(parse_address(orthanc.address), environment=orthanc.login)
    client.ask(lambda c: c.store_instances([result]))
    index(orthanc, tmp_path / "second", "--previous", tmp_path / "first" / "index.parquet", query=query)
    assert rows(tmp_path / "second" / "studies.parquet") == rows(tmp_path / "first" / "studies.parquet")


def test_a_study_list_finds_studies_by_accession_number_and_each_that_is_not_there_fails(
    orthanc: Orthanc, tmp_path: Path
) -> None:
    wanted = tmp_path / "studies.csv"
    wanted.write_text("accession_number,study,site\nA2,second,north\nA9,gone,south\n")
    assert index(orthanc, tmp_path / "index", "--studies", wanted).exit_code == 0
    found = {row["study_id"]: row for row in rows(tmp_path / "index" / "studies.parquet")}
    assert {name: row["site"] for name, row in found.items()} == {"second": "north", "gone": "south"}
    (failure,) = rows(tmp_path / "index" / "failures.parquet")
    assert (failure["study_id"], failure["stage"], failure["code"]) == ("gone", "index", "not_found")
    assert "Row 2" in failure["message"]
    assert "A9" not in failure["message"]


def test_a_study_list_for_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "studies.csv").write_text("accession_number\nA2\n")
    result = scarnet({}, "index", tmp_path / "dicom", "--out", tmp_path / "o", "--studies", tmp_path / "studies.csv")
    assert result.exit_code == 1
    assert "DICOMweb" in str(result.exception)


def test_a_query_that_matches_nothing_is_told(orthanc: Orthanc, tmp_path: Path) -> None:
    result = index(orthanc, tmp_path / "index", "--problem", tmp_path / "problem.txt", query="?PatientID=NOBODY")
    assert result.exit_code == 0
    told = (tmp_path / "problem.txt").read_text()
    assert "no study that the query matches" in told
    assert "NOBODY" not in told


def test_a_refused_login_is_told_to_the_workflow(orthanc: Orthanc, tmp_path: Path) -> None:
    wrong = {**orthanc.login, "SCARNET_PACS_PASSWORD": "swordfish"}
    told = tmp_path / "problem.txt"
    result = scarnet(wrong, "index", orthanc.address, "--out", tmp_path / "index", "--problem", told)
    assert result.exit_code == 0
    assert "answered 401" in told.read_text()
    assert "swordfish" not in told.read_text() + result.output


def test_a_server_killed_between_studies_ends_the_fetch_and_nothing_comes_twice(
    tmp_path: Path,
) -> None:
    with orthanc_in(tmp_path / "orthanc", slow=True) as server:
        client = open_server(parse_address(server.address), environment=server.login)
        uid = next(iter(STUDIES))
        client.ask(lambda c: c.store_instances(datasets(uid, 7)))
        index(server, tmp_path / "index")
        (batch,) = (tmp_path / "index" / "batches").glob("*.json")
        arguments = ("fetch", batch, "--out", tmp_path / "fetched", "--downloads", tmp_path / "downloads")
        killer = server.kill_after_images(3)
        result = scarnet(server.login, *arguments)
        assert result.exit_code == 1
        assert "cannot be reached" in str(result.exception)
        killer.join()
        come = len(list((tmp_path / "downloads").rglob("*.dcm")))
        assert 0 < come < 7
        server.start()
        since = len(server.requests())
        assert scarnet(server.login, *arguments).exit_code == 0
        assert len(images(server, since)) == 7 - come
        since = len(server.requests())
        assert scarnet(server.login, "fetch", batch, "--out", tmp_path / "more", *arguments[-2:]).exit_code == 0
        assert images(server, since) == []


def file_bytes(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


class Scanty:
    """A server of one study whose metadata lack some elements; what `broken` names is answered with that status."""

    def __init__(self, lacking: Sequence[str], broken: dict[str, int] | None = None) -> None:
        self.images = {str(image.SOPInstanceUID): image for image in datasets("1.2.840.99.7.1", 7)}
        self.lacking = lacking
        self.broken = broken or {}

    def __call__(self, path: str, _: int) -> Reply:
        for part, status in self.broken.items():
            if part in path:
                return Reply(status)
        if path.startswith("/studies?"):
            return dicom_json([listed("1.2.840.99.7.1", 7)] if "offset=0" in path or "offset" not in path else [])
        if path.endswith("/metadata"):
            return dicom_json([self._metadata(image) for image in self.images.values()])
        return multipart(file_bytes(self.images[path.rsplit("/", 1)[1]]))

    def _metadata(self, image: Dataset) -> dict[str, Any]:
        found = image.to_json_dict(0, lambda element: f"bulk/{element.tag}")
        return {tag: value for tag, value in found.items() if tag not in self.lacking}


@pytest.mark.parametrize("lacking", ["00280030", "00200032", "00280010", "00080008"])
def test_headers_are_read_from_the_images_where_metadata_lack_what_is_needed(lacking: str, tmp_path: Path) -> None:
    with odd_server(Scanty([lacking])) as server:
        store = ("--downloads", tmp_path / "downloads")
        assert scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index", *store).exit_code == 0
        assert rows(tmp_path / "index" / "failures.parquet") == []
        assert sum("/instances/" in path for path in server.asked) == 7
        (batch,) = (tmp_path / "index" / "batches").glob("*.json")
        assert len(json.loads(batch.read_text())["studies"][0]["sources"]) == 7
        assert scarnet(LOGIN, "fetch", batch, "--out", tmp_path / "fetched", *store).exit_code == 0
        assert sum("/instances/" in path for path in server.asked) == 7  # they came with the headers


def test_images_are_not_fetched_for_what_they_do_not_say_either(tmp_path: Path) -> None:
    scanty = Scanty(["00280030"])
    for image in scanty.images.values():
        del image.PixelSpacing
    with odd_server(scanty) as server:
        scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index")
        assert sum("/instances/" in path for path in server.asked) == 1
    (failure,) = rows(tmp_path / "index" / "failures.parquet")
    assert failure["code"] == "no_geometry"


@pytest.mark.parametrize("status", [404, 500])
def test_a_study_whose_headers_cannot_be_had_is_a_failure_of_the_index(status: int, tmp_path: Path) -> None:
    with odd_server(Scanty([], {"/metadata": status})) as server:
        assert scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index").exit_code == 0
    (failure,) = rows(tmp_path / "index" / "failures.parquet")
    assert (failure["study_id"], failure["code"]) == (study_id_from_uid("1.2.840.99.7.1"), "not_retrieved")
    assert str(status) in failure["message"]


def test_a_study_with_an_image_that_cannot_be_had_fails_and_the_next_index_plans_it_anew(tmp_path: Path) -> None:
    scanty = Scanty([], {"/instances/1.2.840.99.7.1.5.4": 404})
    with odd_server(scanty) as server:
        store = ("--downloads", tmp_path / "downloads")
        scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index", *store)
        (batch,) = (tmp_path / "index" / "batches").glob("*.json")
        assert scarnet(LOGIN, "fetch", batch, "--out", tmp_path / "fetched", *store).exit_code == 0
        (failure,) = rows(tmp_path / "fetched" / "failures.parquet")
        assert (failure["stage"], failure["code"]) == ("fetch", "not_retrieved")
        assert json.loads((tmp_path / "fetched" / "batch.json").read_text())["studies"] == []
        before = batch.read_text()
        scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index", *store)
        assert batch.read_text() != before
        before, scanty.broken = batch.read_text(), {}
        asked = len(server.asked)
        assert scarnet(LOGIN, "fetch", batch, "--out", tmp_path / "again", *store).exit_code == 0
        assert len(server.asked) - asked == 7 - 3
        scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index", *store)
        assert batch.read_text() == before


def test_another_image_than_was_asked_for_is_refused(tmp_path: Path) -> None:
    scanty = Scanty([])
    first, second, *_ = scanty.images
    with odd_server(scanty) as server:
        scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index")
        scanty.images[first], scanty.images[second] = scanty.images[second], scanty.images[first]
        (batch,) = (tmp_path / "index" / "batches").glob("*.json")
        scarnet(LOGIN, "fetch", batch, "--out", tmp_path / "fetched")
    (failure,) = rows(tmp_path / "fetched" / "failures.parquet")
    assert "an image other" in failure["message"]


def test_an_index_that_a_server_failed_half_way_keeps_what_it_learnt(tmp_path: Path) -> None:
    uids = [f"1.2.3.{n}" for n in range(40)]
    gone = {"after": 20}

    def answer(path: str, _: int) -> Reply:
        if path.endswith("/metadata"):
            gone["after"] -= 1
            return dicom_json([]) if gone["after"] >= 0 else Reply(503)
        if gone["after"] < 0:
            return Reply(503)
        return dicom_json([listed(uid, 0) for uid in uids] if "offset=0" in path else [])

    with odd_server(answer) as server:
        result = scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index")
        assert result.exit_code == 1
        assert "503" in str(result.exception)
        gone["after"] = 1000
        asked = len(server.asked)
        assert scarnet(LOGIN, "index", server.address(), "--out", tmp_path / "index").exit_code == 0
        again = sum(path.endswith("/metadata") for path in server.asked[asked:])
    assert len(rows(tmp_path / "index" / "studies.parquet")) == 40
    assert 0 < again < 40
