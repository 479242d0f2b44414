"""Stage CONVERT: a batch of studies in, one volume a study out."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.convert import convert_study
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure


def convert_batch(batch: Batch, out: Path, execution: Execution = IN_PROCESS) -> list[Failure]:
    """Convert a batch; write studies/<id>/{image.nii.gz, study.json} and failures.parquet below `out`; return failures.

    A study with a reference also gets reference.nii.gz.

    Raises:
        MachineError: The machine failed, or the input changed since it was indexed.
    """
    entries = {entry.study_id: entry for entry in batch.studies}
    return run_stage(Stage("convert", partial(_prepare, entries, batch.root)), list(entries), out, execution)


def _prepare(entries: Mapping[str, StudyEntry], root: Path) -> Work:
    return lambda folder: convert_study(entries[folder.study_id], root, folder)
