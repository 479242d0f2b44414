"""`scarnet segment`: the stage SEGMENT over a batch of studies."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import weights_dir
from scarnet_cli.cli.stage_options import NETWORK, OUT, execution_options, tell_count
from scarnet_cli.stage.execution import Execution


@click.command(epilog="Example: scarnet segment work/crop --weights scarnet --out work/segment")
@click.argument("crop_dir", metavar="CROP_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@NETWORK
@weights_dir
@OUT
@click.option("--fast", is_flag=True, help="Look at each slice once, not in several views.")
@click.option("--gpu", is_flag=True, help="Warn in the log if there is no GPU.")
@execution_options
def segment(crop_dir: Path, weights: Path, out: Path, fast: bool, gpu: bool, execution: Execution) -> None:
    """Label every study of CROP_DIR (written by `scarnet crop`): blood pool, myocardium, scar, MVO."""
    from scarnet_cli.infer.segment_stage import Mode, segment_studies

    tell_count(segment_studies(crop_dir, weights, out, execution, Mode(fast, gpu)))
