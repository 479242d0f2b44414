"""`scarnet nnunet`: train nnU-Net itself and label the held-out cases, for the benchmark."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import CASES, LABEL_VALUES


@click.command(epilog="Example: scarnet nnunet emidec --fold 0 --epochs 100 --out runs/nnunet/fold_0")
@click.argument("cases", type=CASES)
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds of the patients.")
@click.option("--fold", type=click.IntRange(0), required=True, help="Hold this fold out, and label its cases.")
@click.option("--epochs", type=click.IntRange(1), default=110, show_default=True, help="Passes over the slices.")
@LABEL_VALUES
@click.option(
    "--problem",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the message where nnU-Net is not installed; then the exit code is 0.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),  # not made before it is known that nnU-Net is there
    required=True,
    help="Folder of this fold; gets labels/CASE.nii.gz.",
)
def nnunet(
    cases: Path, folds: int, fold: int, epochs: int, label_values: Path | None, problem: Path | None, out: Path
) -> None:
    """Train nnU-Net on CASES without one fold, by its own plans, and label that fold's cases.

    nnU-Net is an extra: pip install 'scarnet-cli[nnunet]'. OUT's parent is a --segment-run of `scarnet evaluate`.
    """
    from scarnet_cli.errors import ModelError
    from scarnet_cli.evaluate.nnunet import require_nnunet, run_nnunet
    from scarnet_cli.files import write_bytes
    from scarnet_cli.train.cases import read_cases, read_label_values
    from scarnet_cli.train.folds import held_out_ids

    try:
        require_nnunet()
    except ModelError as error:
        if problem is None:
            raise
        write_bytes(problem, f"{error}\n".encode())
        return
    everyone = read_cases(cases, read_label_values(label_values) if label_values else None)
    held_out = held_out_ids(everyone, folds, fold)
    training = [case for case in everyone if case.case_id not in held_out]
    labels = run_nnunet(training, [case for case in everyone if case.case_id in held_out], epochs, out)
    click.echo(f"Wrote {labels}.", err=True)
