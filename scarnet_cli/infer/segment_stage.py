"""Stage SEGMENT: turns crops into label maps on the full grid. Each process loads the network itself."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure

# Studies whose slices go through the network together: enough to fill a GPU's passes, few enough for 1 GiB.
GROUP: Final = 16


@dataclass(frozen=True, slots=True)
class Mode:
    """Mode in which the network runs.

    Attributes:
        fast: Show each slice once, not in several views: less work, a little less precise.
        gpu_asked: Whether a GPU was asked for; if there is none, the log says so.
    """

    fast: bool = False
    gpu_asked: bool = False


DEFAULT_MODE: Final = Mode()


def segment_studies(
    cropped: Path, weights: Path, out: Path, execution: Execution = IN_PROCESS, mode: Mode = DEFAULT_MODE
) -> list[Failure]:
    """Segment every study of a batch; write studies/<id>/{labels.nii.gz, segment.json} and failures.parquet.

    Returns:
        The failures of the batch.

    Raises:
        InputError: `cropped` is not an output of `crop`.
        ModelError: The weights cannot be used.
        MachineError: The machine failed, or a file of `crop` is damaged.
    """
    study_ids = studies_of(cropped, StudyFile.CROP, StudyFile.CROP_RECORD)
    # A crash does not show which study of a group caused it, so after a crash each study runs on its own. So it does
    # where several processes take the studies in turn: a group's next study may be another one's.
    grouped, alone = (partial(_prepare, cropped, weights, mode, study_ids, group) for group in (GROUP, 1))
    stage = Stage("segment", grouped if execution.jobs == 1 else alone, prepare_again=alone)
    return run_stage(stage, study_ids, out, execution)


def _prepare(cropped: Path, weights: Path, mode: Mode, study_ids: list[str], group: int) -> Work:
    """Load the network and return the function that segments one study."""
    from scarnet_cli.infer.segment_study import GroupedPredictions, Segmenter
    from scarnet_cli.model.spec import Task
    from scarnet_cli.model.weights import best_device, load_weights

    trained = load_weights(weights, best_device(gpu_asked=mode.gpu_asked), task=Task.SEGMENT)
    segmenter = Segmenter(trained, fast=mode.fast)
    predictions = GroupedPredictions(cropped, study_ids, segmenter.predict, group)
    return lambda folder: segmenter.segment(predictions.of(folder.study_id), folder)
