"""`scarnet evaluate`: score one model on held-out cases against the experts' contours."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.case_options import CASES, FOLDS, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FILE, EXISTING_FOLDER

if TYPE_CHECKING:
    from scarnet_cli.benchmark.systems import System
    from scarnet_cli.cases.cases import Case
    from scarnet_cli.tables.benchmark import RobustnessRow


@click.command(epilog="Example: scarnet evaluate emidec --segment-run runs/unet --localise-run runs/localise --out cv")
@click.argument("cases", type=CASES)
@click.option(
    "--segment-run",
    type=EXISTING_FOLDER,
    help="Folder with fold_0, fold_1 ... of `scarnet train`, or with label maps, fold_0/labels/CASE.nii.gz ...",
)
@click.option("--localise-run", type=EXISTING_FOLDER, help="The same for the localiser; not needed for label maps.")
@click.option("--prompted", help="Instead of a run: MedSAM's weights, or lite_medsam, shown the experts' boxes.")
@FOLDS
@click.option("--fold", "only", type=int, multiple=True, help="Score these folds only; all if not given.")
@click.option(
    "--every", type=click.IntRange(1), default=1, show_default=True, help="Score only every Nth case, in order of name."
)
@click.option(
    "--robustness",
    is_flag=True,
    help="Disturb the images (noise, turns, fewer slices ...) and write how Dice and scar percent change.",
)
@click.option(
    "--disturbance",
    "disturbances",
    multiple=True,
    help="With --robustness: this disturbance only, as rician_noise or turns; may be repeated.",
)
@click.option(
    "--decision",
    type=EXISTING_FILE,
    help="With --robustness: decision.json of an evaluation; the weights' own if not given.",
)
@click.option("--seed", type=int, help="With --robustness: seed of noise and the like; 0 if not given.")
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
    every: int,
    robustness: bool,
    disturbances: tuple[str, ...],
    decision: Path | None,
    seed: int | None,
    name: str | None,
    label_values: Path | None,
    out: Path,
) -> None:
    """Label every case of CASES by a network that was not trained on it, and score the result.

    Scored as the EMIDEC challenge does: Dice over the whole stack, mean over cases, empty against empty counts 1. When
    scar counts as scar is decided for each case on all others. Writes cases.csv, summary.md and decision.json, which is
    chosen on all of them, prints the summary, and keeps the predictions for `scarnet benchmark`.

    With --robustness, every case is labelled again under each disturbance, all by one decision. Writes
    robustness.parquet, robustness.md and robustness.svg instead, and prints the summary.
    """
    from scarnet_cli.benchmark.systems import PromptedNetwork, System, fold_system, load_prompted, require_box
    from scarnet_cli.cases.folds import held_out_ids
    from scarnet_cli.errors import InputError

    if (disturbances or decision or seed is not None) and not robustness:
        message = "--disturbance, --decision and --seed go with --robustness."
        raise click.UsageError(message)

    def system_of(fold: int) -> System:
        if segment_run and not prompted:
            return fold_system(segment_run, localise_run, fold)
        if prompted and not segment_run:
            return PromptedNetwork(require_box(load_prompted(prompted)).segment_boxes)
        message = "Give either --segment-run or --prompted."
        raise click.UsageError(message)

    everyone = labelled_cases(cases, label_values)
    held_out = {fold: held_out_ids(everyone, folds, fold) for fold in only or range(folds)}
    chosen = {fold: [case for case in everyone[::every] if case.case_id in ids] for fold, ids in held_out.items()}
    plan = _Plan(
        model=name or (segment_run.name if segment_run else "medsam_zero_shot"),
        folds=folds,
        cases={fold: members for fold, members in chosen.items() if members},
        system_of=system_of,
        prompted=prompted is not None,
    )
    if not plan.number:
        message = f"--every {every} leaves no case that these folds hold out; ask for more cases or folds."
        raise InputError("no_cases", message)
    summary = _disturb(plan, disturbances, decision, seed or 0, out) if robustness else _score(plan, out)
    click.echo(summary)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What labels which cases: fold -> its cases, and the system that never saw them."""

    model: str
    folds: int
    cases: "dict[int, list[Case]]"
    system_of: "Callable[[int], System]"
    prompted: bool

    @property
    def number(self) -> int:
        return sum(map(len, self.cases.values()))


def _score(plan: _Plan, out: Path) -> str:
    """Score the cases as they are, write the tables and return the summary."""
    from scarnet_cli.benchmark.certainty import certainty_markdown
    from scarnet_cli.benchmark.crossval import Prediction, choose_decision, predict, score_cases, score_table
    from scarnet_cli.benchmark.predictions import Evaluation, write_evaluation
    from scarnet_cli.benchmark.table import cases_csv, summary_markdown
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.files import write_bytes, write_json

    predictions: list[Prediction] = []
    with progress_bar("evaluate", plan.number) as advance:
        for fold, held_out in plan.cases.items():
            for prediction in predict(plan.system_of(fold), held_out, fold):
                predictions.append(prediction)
                advance(text=prediction.case.case_id)
    table = score_table(predictions)
    scores = score_cases(predictions, table)
    summary = "\n".join(filter(None, [summary_markdown(scores), certainty_markdown(scores)]))
    if table:
        decision = choose_decision(table)
        summary += f"Chosen on all of them, for `scarnet weights decide`: {decision}\n"
        write_json(out / "decision.json", asdict(decision))
    write_bytes(out / "cases.csv", cases_csv(scores).encode())
    write_bytes(out / "summary.md", summary.encode())
    write_evaluation(Evaluation(plan.model, plan.folds, tuple(predictions), prompted=plan.prompted), out)
    return summary


def _disturb(plan: _Plan, names: Sequence[str], decision: Path | None, seed: int, out: Path) -> str:
    """Score the cases under disturbances, write table and picture and return the summary."""
    from scarnet_cli.benchmark.disturbances import DISTURBANCES
    from scarnet_cli.benchmark.robustness import decided, trials, try_case
    from scarnet_cli.benchmark.robustness_page import write_robustness
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.infer.decision import read_decision

    if unknown := sorted(set(names) - set(DISTURBANCES)):
        message = f"--disturbance {unknown[0]} is none of {', '.join(DISTURBANCES)}."
        raise click.UsageError(message)
    given = read_decision(decision) if decision else None
    planned = trials([name for name in DISTURBANCES if name in names or not names])
    rows: list[RobustnessRow] = []
    with progress_bar("disturb", plan.number * len(planned)) as advance:
        for fold, held_out in plan.cases.items():
            system = decided(plan.system_of(fold), given)
            for case in held_out:
                for row in try_case(plan.model, system, case, fold, planned, seed):
                    rows.append(row)
                    advance()
                advance(0, case.case_id)
    return write_robustness(rows, out)
