"""`scarnet segment`: the stage SEGMENT over a batch of studies."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.case_options import LABEL_VALUES
from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.cli.stage_options import OUT, execution_options, tell_count
from scarnet_cli.cli.weights_options import WEIGHTS_NAME, weights_dir
from scarnet_cli.stage.execution import Execution


@click.command(
    epilog="Example: scarnet segment work/crop --weights scarnet --out work/segment\n\n"
    "Another network's label maps: scarnet segment work/convert --labels theirs --command nnU-Net --out work/segment"
)
@click.argument("studies", metavar="CROP_DIR", type=EXISTING_FOLDER)
@click.option("--weights", type=WEIGHTS_NAME, help="Weights: a file, or a name from `scarnet weights list`.")
@weights_dir
@OUT
@click.option("--fast", is_flag=True, help="Look at each slice once, not in several views.")
@click.option("--gpu", is_flag=True, help="Warn in the log if there is no GPU.")
@click.option(
    "--labels",
    type=EXISTING_FOLDER,
    help="In place of --weights: folder of label maps STUDY_ID.nii.gz that another network made of the images of "
    "CROP_DIR, which is then an output of `scarnet convert`.",
)
@click.option("--command", help="With --labels: the command that made them, for the tables.")
@LABEL_VALUES
@execution_options
def segment(
    studies: Path,
    weights: Path | None,
    out: Path,
    fast: bool,
    gpu: bool,
    labels: Path | None,
    command: str | None,
    label_values: Path | None,
    execution: Execution,
) -> None:
    """Label every study of CROP_DIR (written by `scarnet crop`): blood pool, myocardium, scar, MVO."""
    if (weights is None) == (labels is None):
        message = "Give either --weights, or --labels with the label maps of another network."
        raise click.UsageError(message)
    if (labels is None) != (command is None):
        message = "--labels and --command go together: --command says in the tables what made the label maps."
        raise click.UsageError(message)
    if labels is not None and command is not None:
        from scarnet_cli.cases.label_values import read_label_values
        from scarnet_cli.infer.collect_stage import CommandLabels, collect_labels

        values = read_label_values(label_values) if label_values else None
        tell_count(collect_labels(studies, CommandLabels(labels, command, values), out, execution))
    elif weights is not None:
        from scarnet_cli.infer.segment_stage import Mode, segment_studies

        tell_count(segment_studies(studies, weights, out, execution, Mode(fast, gpu)))
