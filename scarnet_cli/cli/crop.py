"""`scarnet crop`: the stage CROP over a batch of studies."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.stage_options import NETWORK, OUT, execution_options, tell_count
from scarnet_cli.cli.weights_options import weights_dir
from scarnet_cli.stage.execution import Execution


@click.command(epilog="Example: scarnet crop work/convert --weights localiser --out work/crop")
@click.argument("convert_dir", metavar="CONVERT_DIR", type=EXISTING_FOLDER)
@NETWORK
@weights_dir
@OUT
@execution_options
def crop(convert_dir: Path, weights: Path, out: Path, execution: Execution) -> None:
    """Find the heart in every study of CONVERT_DIR (written by `scarnet convert`) and crop round it."""
    from scarnet_cli.infer.crop_stage import crop_studies

    tell_count(crop_studies(convert_dir, weights, out, execution))
