"""From a bucket of a real S3 server to the tables: those of the same files in a folder; the login leaves no trace."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from bucket_server import bucket_server_in
from nextflow_launch import SMALL_NETWORK, Launch, scarnet

from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline


def test_a_bucket_gives_the_results_of_the_same_files_in_a_folder(tmp_path: Path) -> None:
    launch = Launch(tmp_path / "launch")
    launch.folder.mkdir()
    write_cohort(1, tmp_path / "made")
    dicom = tmp_path / "made" / "dicom"
    with bucket_server_in(tmp_path / "server") as server:
        address = server.upload(dicom, "cohort")
        login = dict(server.login())
        launch.succeed("--input", address, *SMALL_NETWORK, "--max_cpus", "1", extra=login)
    scarnet("run", dicom, tmp_path / "files", *SMALL_NETWORK)
    for table in ("scans", "slices", "segments", "series"):
        rows = [
            pq.read_table(out / "tables" / f"{table}.parquet").to_pylist() for out in (launch.out, tmp_path / "files")
        ]
        assert rows[0] == rows[1]
        assert rows[0]
    (study,) = launch.ids("scans")
    for name in ("image.nii.gz", "labels.nii.gz", "study.json"):
        path = Path("studies", study, name)
        assert (launch.out / path).read_bytes() == (tmp_path / "files" / path).read_bytes()
    files = [path for path in launch.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if login["AWS_SECRET_ACCESS_KEY"].encode() in path.read_bytes()]
    assert not [path for path in launch.out.rglob("*") if path.is_file() and address.encode() in path.read_bytes()]
