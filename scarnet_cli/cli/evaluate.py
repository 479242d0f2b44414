"""`scarnet evaluate`: score one model on held-out cases against the experts' contours."""

from dataclasses import asdict
from pathlib import Path

import rich_click as click

from scarnet_cli.cli.options import CASES, FOLDS, LABEL_VALUES, OUTPUT_DIRECTORY, labelled_cases

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog="Example: scarnet evaluate emidec --segment-run runs/unet --localise-run runs/localise --out cv")
@click.argument("cases", type=CASES)
@click.option(
    "--segment-run",
    type=_RUN,
    help="Folder with fold_0, fold_1 ... of `scarnet train`, or with label maps, fold_0/labels/CASE.nii.gz ...",
)
@click.option("--localise-run", type=_RUN, help="The same of the localiser; label maps need none.")
@click.option("--prompted", help="Instead of a run: MedSAM's weights, or lite_medsam; it is shown the experts' boxes.")
@FOLDS
@click.option("--fold", "only", type=int, multiple=True, help="Score these folds only; all if not given.")
@click.option("--name", help="Name of the model in tables; the run's folder, or medsam_zero_shot, if not given.")
@LABEL_VALUES
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Folder for the tables and predictions.")
def evaluate(
    cases: Path,
    segment_run: Path | None,
    localise_run: Path | None,
    prompted: str | None,
    folds: int,
    only: tuple[int, ...],
    name: str | None,
    label_values: Path | None,
    out: Path,
) -> None:
    """Label every case of CASES by what never saw it, and score the result.

    Scored as the EMIDEC challenge does: Dice over the whole stack, mean over cases, empty against empty counts 1. When
    scar counts as scar is decided for each case on all others. Writes cases.csv, summary.md and decision.json, which is
    chosen on all of them, prints the summary, and keeps the predictions for `scarnet benchmark`.
    """
    from scarnet_cli.benchmark.crossval import Prediction, choose_decision, predict, score_cases, score_table
    from scarnet_cli.benchmark.predictions import Evaluation, write_evaluation
    from scarnet_cli.benchmark.systems import PromptedNetwork, System, fold_system, load_prompted, require_box
    from scarnet_cli.benchmark.table import cases_csv, summary_markdown
    from scarnet_cli.cases.folds import held_out_ids
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.files import write_bytes, write_json

    everyone = labelled_cases(cases, label_values)
    held_out = {fold: held_out_ids(everyone, folds, fold) for fold in only or range(folds)}

    def system_of(fold: int) -> System:
        if segment_run and not prompted:
            return fold_system(segment_run, localise_run, fold)
        if prompted and not segment_run:
            return PromptedNetwork(require_box(load_prompted(prompted)).segment_boxes)
        message = "Give either --segment-run or --prompted."
        raise click.UsageError(message)

    predictions: list[Prediction] = []
    with progress_bar("evaluate", sum(map(len, held_out.values()))) as advance:
        for fold, ids in held_out.items():
            for prediction in predict(system_of(fold), [c for c in everyone if c.case_id in ids], fold):
                predictions.append(prediction)
                advance(text=prediction.case.case_id)
    table = score_table(predictions)
    scores = score_cases(predictions, table)
    summary = summary_markdown(scores)
    if table:
        decision = choose_decision(table)
        summary += f"Chosen on all of them, for `scarnet weights decide`: {decision}\n"
        write_json(out / "decision.json", asdict(decision))
    write_bytes(out / "cases.csv", cases_csv(scores).encode())
    write_bytes(out / "summary.md", summary.encode())
    model = name or (segment_run.name if segment_run else "medsam_zero_shot")
    write_evaluation(Evaluation(model, folds, tuple(predictions), prompted=prompted is not None), out)
    click.echo(summary)
