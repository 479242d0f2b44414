"""`scarnet folds`: check labelled cases and deal their patients to folds."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import CASES, LABEL_VALUES


@click.command(epilog="Example: scarnet folds cases.csv --label-values values.csv --out folds.csv")
@click.argument("cases", type=CASES)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="CSV table to write.")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds that patients are dealt to.")
@LABEL_VALUES
@click.option(
    "--problem",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the message where cases are wrong, with exit code 0: for a workflow that shows it itself.",
)
def folds(cases: Path, out: Path, folds: int, label_values: Path | None, problem: Path | None) -> None:
    """Check every one of CASES, a folder in EMIDEC's layout or a table, and write which fold holds it out.

    `scarnet train` and `scarnet evaluate` deal the same cases to the same folds; a patient's cases are in one fold.
    """
    from scarnet_cli.errors import InputError
    from scarnet_cli.files import write_bytes
    from scarnet_cli.train.cases import read_cases, read_label_values
    from scarnet_cli.train.folds import folds_csv

    try:
        everyone = read_cases(cases, read_label_values(label_values) if label_values else None)
        table = folds_csv(everyone, folds)
    except InputError as error:
        if problem is None:
            raise
        write_bytes(problem, f"{error}\n".encode())
        return
    write_bytes(out, table.encode())
