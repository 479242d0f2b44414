"""`scarnet benchmark`: compare models that were evaluated on the same cases."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.case_options import CASES, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FOLDER

if TYPE_CHECKING:
    from scarnet_cli.tables.benchmark import CostMeasures


@click.command(
    epilog="Example: scarnet benchmark emidec cv/unet cv/scarnet --weights unet runs/unet.safetensors --out b"
)
@click.argument("cases", type=CASES)
@click.argument("evaluations", nargs=-1, required=True, type=EXISTING_FOLDER)
@click.option(
    "--weights",
    type=(str, str),
    multiple=True,
    metavar="MODEL FILE",
    help="Weights of a model (or lite_medsam), to measure the cost of a slice. May be repeated.",
)
@LABEL_VALUES
@click.option("--threads", type=click.IntRange(1), help="CPU threads while timing; all cores if not given.")
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Folder of the tables and the page.")
def benchmark(
    cases: Path,
    evaluations: tuple[Path, ...],
    weights: tuple[tuple[str, str], ...],
    label_values: Path | None,
    threads: int | None,
    out: Path,
) -> None:
    """Compare what EVALUATIONS, folders of `scarnet evaluate`, made of the same CASES.

    Folds of one model may be in several folders. Writes benchmark.parquet, benchmark_summary.parquet,
    benchmark_cost.parquet, from these benchmark.md and index.html, which opens from disk, and decisions/MODEL.json, the
    thresholds chosen on all cases, for `scarnet weights decide`.
    """
    import torch

    from scarnet_cli.benchmark.cost import measure_cost
    from scarnet_cli.benchmark.page import write_page
    from scarnet_cli.benchmark.predictions import merge_folds, read_evaluation
    from scarnet_cli.benchmark.scores import write_benchmark
    from scarnet_cli.benchmark.systems import load_prompted
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.model.weights import best_device, load_weights

    if threads:
        torch.set_num_threads(threads)
    everyone = labelled_cases(cases, label_values)
    by_id = {case.case_id: case for case in everyone}
    models = merge_folds(read_evaluation(folder, by_id) for folder in evaluations)
    prompted = {model.model for model in models if model.prompted}
    costs: dict[str, CostMeasures] = {}
    with progress_bar("time", len(weights)) as advance:
        for model, given in weights:
            boxed = model in prompted
            trained = load_prompted(given) if boxed else load_weights(Path(given), best_device())
            costs[model] = measure_cost(trained, prompted=boxed)
            advance(text=model)
    write_benchmark(models, costs, out)
    write_page(out, out)
    click.echo((out / "benchmark.md").read_text())
