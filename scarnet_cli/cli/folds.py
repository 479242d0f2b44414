"""`scarnet folds`: check labelled cases and divide their patients into folds."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.case_options import CASES, FOLDS, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.problem import PROBLEM, ProblemCommand


@click.command(cls=ProblemCommand, epilog="Example: scarnet folds cases.csv --label-values values.csv --out folds.csv")
@click.argument("cases", type=CASES)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="CSV table to write.")
@FOLDS
@click.option("--fold", type=int, help="Fold to hold out, checked to be one of them.")
@LABEL_VALUES
@PROBLEM
def folds(cases: Path, out: Path, folds: int, fold: int | None, label_values: Path | None) -> None:
    """Check every one of CASES, a folder in EMIDEC's layout or a table, and write which fold holds it out.

    `scarnet train` and `scarnet evaluate` deal the same cases to the same folds; a patient's cases are in one fold.
    """
    from scarnet_cli.cases.folds import folds_csv, require_fold
    from scarnet_cli.files import write_bytes

    if fold is not None:
        require_fold(fold, folds)
    write_bytes(out, folds_csv(labelled_cases(cases, label_values), folds).encode())
