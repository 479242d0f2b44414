"""Results as DICOM though tasks are killed: written, and stored on a real Orthanc once that is there again."""

import os
import re
import signal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from exported_study import judge, read_by_dcmqi
from nextflow_launch import PATIENCE_S, SMALL_NETWORK, Launch
from orthanc_server import orthanc_in

from scarnet_cli.image.volume import read_nifti, same_grid
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import open_server
from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

STUDIES = 2
FILES = ("seg.dcm", "report.dcm")


def test_no_study_is_lost_to_killed_tasks_and_what_a_server_that_was_gone_lacks_is_stored_by_resume(
    tmp_path: Path,
) -> None:
    write_cohort(STUDIES, tmp_path / "phantoms")
    launch = Launch(tmp_path / "launch")
    launch.folder.mkdir()
    with orthanc_in(tmp_path / "orthanc") as orthanc:
        orthanc.kill()
        given = ("--input", str(tmp_path / "phantoms" / "dicom"), "--store_to", orthanc.address)
        arguments = (*given, *SMALL_NETWORK, "--max_cpus", "2")
        extra = {**orthanc.login, "SCARNET_PACS_ATTEMPTS": "1"}
        nextflow = launch.start(*arguments, extra=extra)
        os.kill(launch.wait_for_task("convert", nextflow), signal.SIGKILL)
        for stage in ("crop", "segment"):
            os.kill(launch.wait_for_child(launch.wait_for_task(stage, nextflow), nextflow), signal.SIGKILL)
        for stage in ("quantify", "export"):
            os.kill(launch.wait_for_task(stage, nextflow), signal.SIGKILL)
        output, _ = nextflow.communicate(timeout=PATIENCE_S)
        for stage in ("CONVERT", "QUANTIFY", "EXPORT"):
            first, second = launch.attempts(stage)
            assert (first["status"], first["exit"], second["status"]) == ("FAILED", "137", "COMPLETED")
        for stage in ("CROP", "SEGMENT"):
            (only,) = launch.attempts(stage)
            assert only["status"] == "COMPLETED"
        assert launch.ids("failures") == []
        assert nextflow.returncode != 0
        assert "cannot be reached" in output
        stopped, finished, *_ = output.rstrip().splitlines()[-4:]
        assert re.fullmatch(
            r"The run stopped: STORE \(batch-\w+\) failed with exit code \d+\. Error: .*reached.*", stopped
        )
        assert finished.endswith(f"GATHER 1 of 1, REPORT 1 of 1 tasks; studies measured: {STUDIES}.")
        # what the server has no part in is there: files, tables, report
        studies = launch.ids("scans")
        assert len(studies) == STUDIES
        assert (launch.out / "report" / "index.html").exists()
        rows = pq.read_table(launch.out / "tables" / "exports.parquet").to_pylist()
        assert [(row["study_id"], row["code"]) for row in rows] == [(study, None) for study in studies]
        for study_id in studies:
            folder = launch.out / "studies" / study_id
            assert not [line for name in FILES for line in judge(folder / name) if line.startswith("Error")]
            labels, read = read_nifti(folder / "labels.nii.gz"), read_by_dcmqi(folder / "seg.dcm", tmp_path / study_id)
            assert same_grid(labels, read)
            np.testing.assert_array_equal(labels.array, read.array)
        orthanc.start()
        launch.succeed(*arguments, "-resume", extra=extra)
        assert {process for process, _ in launch.tasks("COMPLETED")} == {"INDEX", "STORE"}
        server = open_server(parse_address(orthanc.address), environment={**os.environ, **orthanc.login})
        found = server.ask(lambda client: client.search_for_instances(fields=["SOPInstanceUID"]))
        stored = {item["00080018"]["Value"][0] for item in found}
        assert stored == {row[column] for row in rows for column in ("segmentation_uid", "report_uid")}
