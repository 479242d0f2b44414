"""`scarnet nnunet`: train nnU-Net and label the held-out cases, for the benchmark."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.case_options import CASES, FOLDS, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.problem import PROBLEM, ProblemCommand


@click.command(
    cls=ProblemCommand, epilog="Example: scarnet nnunet emidec --fold 0 --epochs 100 --out runs/nnunet/fold_0"
)
@click.argument("cases", type=CASES)
@FOLDS
@click.option("--fold", type=click.IntRange(0), required=True, help="Hold this fold out, and label its cases.")
@click.option("--epochs", type=click.IntRange(1), default=110, show_default=True, help="Passes over the slices.")
@LABEL_VALUES
@PROBLEM
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),  # not created before nnU-Net is known to be installed
    required=True,
    help="Folder of this fold; gets labels/CASE.nii.gz.",
)
def nnunet(cases: Path, folds: int, fold: int, epochs: int, label_values: Path | None, out: Path) -> None:
    """Train nnU-Net on CASES without one fold, by its own plans, and label that fold's cases.

    nnU-Net is an extra: pip install 'scarnet-cli[nnunet]'. OUT's parent is a --segment-run of `scarnet evaluate`.
    """
    from scarnet_cli.benchmark.nnunet import require_nnunet, run_nnunet
    from scarnet_cli.cases.folds import held_out_ids

    require_nnunet()
    everyone = labelled_cases(cases, label_values)
    held_out = held_out_ids(everyone, folds, fold)
    training = [case for case in everyone if case.case_id not in held_out]
    labels = run_nnunet(training, [case for case in everyone if case.case_id in held_out], epochs, out)
    click.echo(f"Wrote {labels}.", err=True)
