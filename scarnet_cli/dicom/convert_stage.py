"""Stage CONVERT: each indexed study of a batch becomes image.nii.gz and study.json."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure


def convert_batch(
    batch: Batch, out: Path, execution: Execution = IN_PROCESS, pseudonyms: Pseudonyms | None = None
) -> list[Failure]:
    """Convert a batch; write studies/<id>/{image.nii.gz, study.json} and failures.parquet below `out`; return failures.

    A study with a reference also gets reference.nii.gz. Pseudonyms move the dates of de-identified studies; without
    them these have no date.

    Raises:
        MachineError: The machine failed, or the input changed since it was indexed.
    """
    entries = {entry.study_id: entry for entry in batch.studies}
    prepare = partial(_prepare, entries, batch.root, pseudonyms)
    return run_stage(Stage("convert", prepare), list(entries), out, execution)


def _prepare(entries: Mapping[str, StudyEntry], root: Place, pseudonyms: Pseudonyms | None) -> Work:
    """Import what converting needs, which the process that only starts another does without."""
    from scarnet_cli.dicom.convert_study import convert_study

    return lambda folder: convert_study(entries[folder.study_id], root, folder, pseudonyms)
