"""The benchmark's page and its Markdown table, both made from the benchmark's tables alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from scarnet_cli.draw.plots import Lines, Point, draw_bland_altman, draw_boxes
from scarnet_cli.draw.words import number_text
from scarnet_cli.files import write_bytes
from scarnet_cli.report.template import render
from scarnet_cli.tables.parquet import CREATION_TIME, PIPELINE_VERSION, read_table, table_metadata

Row = Mapping[str, Any]

REGION_NAMES: Final = {"blood_pool": "Blood pool", "myocardium": "Myocardium", "scar": "Scar", "mvo": "MVO"}
# Regions whose volumes are compared one by one.
_VOLUMES: Final = ("scar", "myocardium")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What the tables say.

    Attributes:
        models: Names, the best scar Dice first.
        cases: Rows of `benchmark`.
        summary: (model, region) -> row of `benchmark_summary`.
        cost: Model -> row of `benchmark_cost`, where there is one.
        version: The pipeline's version.
        created: When the tables were made.
    """

    models: tuple[str, ...]
    cases: tuple[Row, ...]
    summary: Mapping[tuple[str, str], Row]
    cost: Mapping[str, Row]
    version: str
    created: str

    @property
    def first(self) -> Row:
        """A row of the summary, for the numbers of cases that all models share."""
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
    """Read the three tables.

    Raises:
        CohortError: One is missing or unreadable.
    """
    cases, summary, cost = (
        read_table(tables / f"{name}.parquet") for name in ("benchmark", "benchmark_summary", "benchmark_cost")
    )
    of_region = {(row["model"], row["region"]): row for row in summary.to_pylist()}
    scar = {model: row["dice_mean"] for (model, region), row in of_region.items() if region == "scar"}
    metadata = table_metadata(cases)
    return Benchmark(
        models=tuple(sorted(scar, key=lambda model: (-scar[model], model))),
        cases=tuple(cases.to_pylist()),
        summary=of_region,
        cost={row["model"]: row for row in cost.to_pylist()},
        version=metadata.get(PIPELINE_VERSION, ""),
        created=metadata.get(CREATION_TIME, ""),
    )


Table = tuple[list[str], list[list[str]]]


def accuracy_table(benchmark: Benchmark) -> Table:
    """Return headings and one row of texts a model: how well it agrees with the experts."""
    first = benchmark.first
    everyone, scarred = first["cases"], first["cases_with_scar"]
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
    dice = [scar["dice_mean"], scar["dice_with_scar"], scar["dice_without_scar"]]
    dice += [row["dice_mean"] for row in (myocardium, blood_pool, mvo)]
    return [
        model,
        *(number_text(value, 3) for value in dice),
        number_text(scar["hd95_median_mm"]),
        number_text(myocardium["hd95_median_mm"]),
        bias_text(scar),
        number_text(scar["cov_percent"]),
        number_text(scar["icc"], 2),
    ]


def cost_table(benchmark: Benchmark) -> Table:
    """Return headings and one row of texts a model whose cost is known."""
    headings = ["model", "parameters, M", "GFLOP a slice", "slices/s, one at a time", "slices/s, best batch", "batch"]
    rows = [benchmark.cost[model] for model in benchmark.models if model in benchmark.cost]
    return headings, [_cost_row(row) for row in rows]


def _cost_row(row: Row) -> list[str]:
    return [
        row["model"],
        number_text(row["parameters"] / 1e6, 2),
        number_text(row["gflop_per_slice"]),
        number_text(row["slices_per_second"]),
        number_text(row["slices_per_second_best"]),
        str(row["best_batch"]),
    ]


def bias_text(row: Row) -> str:
    """Return bias and limits of agreement, in ml, as people write them."""
    if row["lower_limit_ml"] is None:
        return f"{row['bias_ml']:+.1f}"
    return f"{row['bias_ml']:+.1f} ({row['lower_limit_ml']:+.1f} to {row['upper_limit_ml']:+.1f})"


def machine_text(benchmark: Benchmark) -> str:
    """Return what the models were timed on; empty where none was."""
    machines = dict.fromkeys((row["device"], row["threads"]) for row in benchmark.cost.values())
    return " and ".join(device if device != "cpu" else f"CPU, threads: {threads}" for device, threads in machines)


def markdown(benchmark: Benchmark) -> str:
    """Return the tables of the models as Markdown, with what their columns mean."""
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
    """Return the page; it needs no other file."""
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
    groups = [(model, _points(benchmark, model, region, _dice_place)) for model in benchmark.models]
    return draw_boxes(name, groups)


def _plot(benchmark: Benchmark, model: str, region: str) -> Markup:
    row = benchmark.summary[model, region]
    lines = Lines(row["bias_ml"], row["lower_limit_ml"], row["upper_limit_ml"])
    points = _points(benchmark, model, region, _difference_place)
    return draw_bland_altman(f"{REGION_NAMES[region]} by {model}", points, lines, "ml")


def _points(
    benchmark: Benchmark, model: str, region: str, place: Callable[[Row], tuple[float, float]]
) -> Sequence[Point]:
    rows = [row for row in benchmark.cases if (row["model"], row["region"]) == (model, region)]
    return [Point(*place(row), row["case_id"], row["has_scar"]) for row in rows]


def _dice_place(row: Row) -> tuple[float, float]:
    return row["dice"], 0.0


def _difference_place(row: Row) -> tuple[float, float]:
    ours, reference = row["volume_ml"], row["reference_volume_ml"]
    return (ours + reference) / 2, ours - reference
