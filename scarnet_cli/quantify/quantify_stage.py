"""Stage QUANTIFY: from label maps to rows of the tables scans, slices and segments."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from scarnet_cli.cases.label_values import LabelValues
from scarnet_cli.quantify.rows import TABLES
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.readers import ReadersRow


def quantify_studies(
    converted: Path,
    segmented: Path,
    out: Path,
    execution: Execution = IN_PROCESS,
    label_maps: Mapping[str, Sequence[LabelMapFile]] | None = None,
    values: LabelValues | None = None,
) -> list[Failure]:
    """Measure every study of `segmented`; write the tables, the failures, and each study's picture and record.

    Args:
        converted: Output directory of CONVERT.
        segmented: Output directory of SEGMENT.
        out: Directory to write to.
        execution: How to run.
        label_maps: Study -> its label maps from elsewhere: the first is measured in place of the network's, also where
            the network found no heart; those of readers are compared.
        values: What the values of those mean; None if they are those of `Label`.

    Returns:
        The failures.

    Raises:
        InputError: A directory is not the output of that stage.
        MachineError: The machine failed, or a file of an earlier stage is missing or damaged.
    """
    given = label_maps or {}
    there = studies_of(converted, StudyFile.IMAGE, StudyFile.STUDY)
    labelled = {*studies_of(segmented, StudyFile.LABELS, StudyFile.SEGMENT_RECORD), *(given.keys() & set(there))}
    prepare = partial(_prepare, converted, segmented, given, values)
    # A failed study's label map stays: whoever corrects it needs to see it.
    stage = Stage("quantify", prepare, tables=(*TABLES, ReadersRow), kept=(StudyFile.LABELS,))
    return run_stage(stage, sorted(labelled), out, execution)


def _prepare(
    converted: Path, segmented: Path, label_maps: Mapping[str, Sequence[LabelMapFile]], values: LabelValues | None
) -> Work:
    """Import what measuring needs, which the process that only starts another does without."""
    from scarnet_cli.quantify.quantify_study import quantify_study

    return partial(quantify_study, converted=converted, segmented=segmented, label_maps=label_maps, values=values)
