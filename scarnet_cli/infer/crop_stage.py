"""Stage CROP: cuts a crop round the heart from each converted study. Each process loads the network itself."""

from functools import partial
from pathlib import Path

from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure


def crop_studies(converted: Path, weights: Path, out: Path, execution: Execution = IN_PROCESS) -> list[Failure]:
    """Crop every study of a batch; write studies/<id>/{crop.nii.gz, crop.json} and failures.parquet below `out`.

    Returns:
        The failures of the batch.

    Raises:
        InputError: `converted` is not an output of `convert`.
        ModelError: The weights cannot be used.
        MachineError: The machine failed, or a file of `convert` is damaged.
    """
    stage = Stage("crop", partial(_prepare, converted, weights))
    return run_stage(stage, studies_of(converted, StudyFile.IMAGE), out, execution)


def _prepare(converted: Path, weights: Path) -> Work:
    """Load the localiser and return the function that crops one study."""
    from scarnet_cli.infer.crop_study import crop_study
    from scarnet_cli.model.spec import Task
    from scarnet_cli.model.weights import best_device, load_weights

    localiser = load_weights(weights, best_device(), task=Task.LOCALISE)
    return partial(crop_study, converted=converted, localiser=localiser)
