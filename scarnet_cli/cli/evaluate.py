"""`scarnet evaluate`: score the held-out cases of a cross-validation against the experts' contours."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import OUTPUT_DIRECTORY


@click.command(
    epilog="Example: scarnet evaluate emidec --segment-run runs/segment --localise-run runs/localise --out runs/cv"
)
@click.argument("cases", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--segment-run",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with fold_0, fold_1 ... of `scarnet train --task segment`.",
)
@click.option(
    "--localise-run",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The same of `scarnet train --task localise`.",
)
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds of the patients.")
@click.option("--fold", "only", type=int, multiple=True, help="Score these folds only; all if not given.")
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Folder for the tables.")
def evaluate(cases: Path, segment_run: Path, localise_run: Path, folds: int, only: tuple[int, ...], out: Path) -> None:
    """Segment every case of CASES by the networks that never saw it, and score the result.

    Scored as the EMIDEC challenge does: Dice over the whole stack, mean over cases, empty against empty counts 1. When
    scar counts as scar is decided for each case on all others. Writes cases.csv and summary.md, and prints the summary.
    """
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.evaluate.crossval import (
        Prediction,
        choose_decision,
        fold_networks,
        predict_case,
        score_cases,
        score_table,
    )
    from scarnet_cli.evaluate.table import cases_csv, summary_markdown
    from scarnet_cli.files import write_bytes
    from scarnet_cli.train.cases import read_cases
    from scarnet_cli.train.folds import split_folds

    everyone = read_cases(cases)
    held_out = split_folds([c.case_id for c in everyone], [c.has_scar for c in everyone], folds)
    chosen = only or tuple(range(folds))
    predictions: list[Prediction] = []
    with progress_bar("evaluate", sum(len(held_out[f]) for f in chosen)) as advance:
        for fold in chosen:
            localiser, segmenter = fold_networks(localise_run, segment_run, fold)
            for case in everyone:
                if case.case_id in held_out[fold]:
                    predictions.append(predict_case(case, fold, localiser, segmenter))
                    advance(case.case_id)
    scores = score_cases(predictions)
    summary = summary_markdown(scores)
    decision = choose_decision(score_table(predictions))
    summary += f"Chosen on all of them, for the shipped weights: {decision}\n"
    write_bytes(out / "cases.csv", cases_csv(scores).encode())
    write_bytes(out / "summary.md", summary.encode())
    click.echo(summary)
