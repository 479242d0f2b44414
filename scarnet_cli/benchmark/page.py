"""The benchmark's page and its Markdown tables, both made from the benchmark's tables alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.plots import Lines, Point, draw_bland_altman, draw_boxes
from scarnet_cli.draw.text import number_text
from scarnet_cli.files import write_bytes
from scarnet_cli.report.template import render
from scarnet_cli.tables.benchmark import CostMeasures, CostRow, ScoreRow, SummaryRow
from scarnet_cli.tables.parquet import CREATION_TIME, PIPELINE_VERSION, read_rows, read_table, table_metadata

REGION_NAMES: Final = {"blood_pool": "Blood pool", "myocardium": "Myocardium", "scar": "Scar", "mvo": "MVO"}
# Regions whose volumes are compared one by one.
_VOLUMES: Final = ("scar", "myocardium")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The contents of the benchmark's tables.

    Attributes:
        models: Names, the best scar Dice first.
        cases: Rows of `benchmark`.
        summary: (model, region) -> row of `benchmark_summary`.
        cost: Model -> its cost, if known.
        version: The pipeline's version.
        created: Time at which the tables were written.
    """

    models: tuple[str, ...]
    cases: tuple[ScoreRow, ...]
    summary: Mapping[tuple[str, str], SummaryRow]
    cost: Mapping[str, CostMeasures]
    version: str
    created: str

    @property
    def first(self) -> SummaryRow:
        """A row of the summary, for the numbers of cases, which all models share."""
        return self.summary[self.models[0], "scar"]


def write_page(tables: Path, out: Path) -> None:
    """Write `out`/index.html and `out`/benchmark.md from the three tables in `tables`.

    Raises:
        CohortError: A table is missing or unreadable.
    """
    benchmark = read_benchmark(tables)
    write_bytes(out / "benchmark.md", markdown(benchmark).encode())
    write_bytes(out / "index.html", html(benchmark).encode())


def read_benchmark(tables: Path) -> Benchmark:
    """Return the contents of the three tables.

    Raises:
        CohortError: A table is missing or unreadable.
    """
    metadata = table_metadata(read_table(tables / "benchmark.parquet"))
    cases = read_rows(ScoreRow, tables / "benchmark.parquet")
    summary = {(row.model, row.region): row for row in read_rows(SummaryRow, tables / "benchmark_summary.parquet")}
    cost = {row.model: row.cost for row in read_rows(CostRow, tables / "benchmark_cost.parquet")}
    scar = {model: row.dice_mean for (model, region), row in summary.items() if region == "scar"}
    return Benchmark(
        models=tuple(sorted(scar, key=lambda model: (-scar[model], model))),
        cases=tuple(cases),
        summary=summary,
        cost=cost,
        version=metadata.get(PIPELINE_VERSION, ""),
        created=metadata.get(CREATION_TIME, ""),
    )


Table = tuple[list[str], list[list[str]]]


def accuracy_table(benchmark: Benchmark) -> Table:
    """Return headings, and one row per model with its agreement with the experts as text."""
    first = benchmark.first
    everyone, scarred = first.cases, first.cases_with_scar
    headings = [
        "model",
        f"scar, all {everyone}",
        f"with scar {scarred}",
        f"without {everyone - scarred}",
        "myocardium",
        "blood pool",
        "MVO",
        "HD95 scar, mm",
        "HD95 myocardium, mm",
        "scar bias, ml (limits)",
        "CoV, %",
        "ICC",
    ]
    return headings, [_accuracy_row(benchmark, model) for model in benchmark.models]


def _accuracy_row(benchmark: Benchmark, model: str) -> list[str]:
    scar, myocardium, blood_pool, mvo = (
        benchmark.summary[model, region] for region in ("scar", "myocardium", "blood_pool", "mvo")
    )
    dice = [scar.dice_mean, scar.dice_with_scar, scar.dice_without_scar]
    dice += [row.dice_mean for row in (myocardium, blood_pool, mvo)]
    return [
        model,
        *(number_text(value, 3) for value in dice),
        number_text(scar.hd95_median_mm),
        number_text(myocardium.hd95_median_mm),
        bias_text(scar),
        number_text(scar.cov_percent),
        number_text(scar.icc, 2),
    ]


def cost_table(benchmark: Benchmark) -> Table:
    """Return headings, and one row per model with a known cost, as text."""
    headings = ["model", "parameters, M", "GFLOP a slice", "slices/s, one at a time", "slices/s, best batch", "batch"]
    costs = [(model, benchmark.cost[model]) for model in benchmark.models if model in benchmark.cost]
    return headings, [_cost_row(model, cost) for model, cost in costs]


def _cost_row(model: str, cost: CostMeasures) -> list[str]:
    return [
        model,
        number_text(cost.parameters / 1e6, 2),
        number_text(cost.gflop_per_slice),
        number_text(cost.slices_per_second),
        number_text(cost.slices_per_second_best),
        str(cost.best_batch),
    ]


def bias_text(row: SummaryRow) -> str:
    """Return bias and limits of agreement in ml as text."""
    if row.lower_limit_ml is None or row.upper_limit_ml is None:
        return f"{row.bias_ml:+.1f}"
    return f"{row.bias_ml:+.1f} ({row.lower_limit_ml:+.1f} to {row.upper_limit_ml:+.1f})"


def machine_text(benchmark: Benchmark) -> str:
    """Return the machines on which the models were timed, or an empty string if none was."""
    machines = dict.fromkeys((cost.device, cost.threads) for cost in benchmark.cost.values())
    return " and ".join(device if device != "cpu" else f"CPU, threads: {threads}" for device, threads in machines)


def markdown(benchmark: Benchmark) -> str:
    """Return the tables of the models as Markdown, with notes on their columns."""
    accuracy = (
        "Dice is over the whole stack, mean over cases; empty against empty counts 1. HD95 is the median over the "
        "cases where both regions are there. Bias, limits, CoV and ICC are of the scar's volume, over all cases."
    )
    speed = (
        "A pass of the network over one slice, in one view of it, without the localiser. Timed on: "
        f"{machine_text(benchmark)}."
    )
    parts = [_markdown_table(accuracy_table(benchmark)), accuracy]
    if benchmark.cost:
        parts += [_markdown_table(cost_table(benchmark)), speed]
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    headings, rows = table
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows))


def html(benchmark: Benchmark) -> str:
    """Return the page as self-contained HTML."""
    return render(
        "benchmark.html.jinja",
        ("base.css", "charts.css"),
        benchmark=benchmark,
        tables=[
            ("accuracy", accuracy_table(benchmark)),
            *([("cost", cost_table(benchmark))] if benchmark.cost else []),
        ],
        machine=machine_text(benchmark),
        regions=[
            (name, [benchmark.summary[model, region] for model in benchmark.models])
            for region, name in REGION_NAMES.items()
        ],
        boxes=[(name, _boxes(benchmark, region, name)) for region, name in REGION_NAMES.items()],
        agreements=[
            (f"{REGION_NAMES[region]}: {model}", benchmark.summary[model, region], _plot(benchmark, model, region))
            for region in _VOLUMES
            for model in benchmark.models
        ],
        number=number_text,
        bias=bias_text,
    )


def _boxes(benchmark: Benchmark, region: str, name: str) -> Markup:
    groups = [
        (model, [Point(row.dice, 0.0, row.case_id, row.has_scar) for row in _scores(benchmark, model, region)])
        for model in benchmark.models
    ]
    return draw_boxes(name, groups)


def _plot(benchmark: Benchmark, model: str, region: str) -> Markup:
    summary = benchmark.summary[model, region]
    lines = Lines(summary.bias_ml, summary.lower_limit_ml, summary.upper_limit_ml)
    points = [
        Point(
            (row.volume_ml + row.reference_volume_ml) / 2,
            row.volume_ml - row.reference_volume_ml,
            row.case_id,
            row.has_scar,
        )
        for row in _scores(benchmark, model, region)
    ]
    return draw_bland_altman(f"{REGION_NAMES[region]} by {model}", points, lines, "ml")


def _scores(benchmark: Benchmark, model: str, region: str) -> list[ScoreRow]:
    return [row for row in benchmark.cases if (row.model, row.region) == (model, region)]
