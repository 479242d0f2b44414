"""Stage CROP: converted studies in, crops round the heart out. The network is loaded where the studies are done."""

from functools import partial
from pathlib import Path
from typing import Final

from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.guard import IN_PROCESS, Guard
from scarnet_cli.stage.run import Work, run_studies
from scarnet_cli.tables.failures import Failure

_IMAGE: Final = "image.nii.gz"


def crop_studies(converted: Path, weights: Path, out: Path, guard: Guard = IN_PROCESS) -> list[Failure]:
    """Crop every study of a batch; writes studies/<id>/{crop.nii.gz, crop.json} and failures.parquet below `out`.

    Args:
        converted: Output directory of `convert`, holding studies/<id>/image.nii.gz.
        weights: The localiser's weights.
        out: Output directory.
        guard: What protects the other studies.

    Raises:
        InputError: `converted` is no output of `convert`.
        ModelError: The weights cannot be used.
        MachineError: The machine failed, or a file of `convert` is damaged.
    """
    return run_studies(
        "crop", studies_of(converted, StudyFile.IMAGE), partial(_cropper, converted, weights, out), out, guard
    )


def _cropper(converted: Path, weights: Path, out: Path) -> Work[None]:
    """Load the localiser and return the function that crops one study."""
    from scarnet_cli.infer.crop_study import crop_study
    from scarnet_cli.model.spec import Task
    from scarnet_cli.model.weights import best_device, load_weights

    localiser = load_weights(weights, best_device(), task=Task.LOCALISE)
    return lambda study_id: crop_study(converted / "studies" / study_id / _IMAGE, localiser, out / "studies" / study_id)
