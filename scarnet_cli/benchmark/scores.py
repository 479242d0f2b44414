"""The benchmark's tables: scores of every model, case and region, and their summary."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.benchmark.crossval import CaseScore, choose_decision, score_cases, score_table
from scarnet_cli.benchmark.predictions import Evaluation
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.files import write_json
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.tables.benchmark import CostMeasures, CostRow, ScoreRow, SummaryRow
from scarnet_cli.tables.parquet import write_table

DECISIONS: Final = "decisions"


def write_benchmark(evaluations: Sequence[Evaluation], costs: Mapping[str, CostMeasures], out: Path) -> None:
    """Score every model; write the three tables, and decisions/MODEL.json for each model that needs thresholds.

    Args:
        evaluations: One per model, all on the same cases.
        costs: Model -> cost, for models whose weights are known.
        out: Folder of the tables.

    Raises:
        CohortError: A value does not fit its column.
    """
    rows: list[ScoreRow] = []
    for evaluation in evaluations:
        table = score_table(evaluation.predictions)
        rows += score_rows(evaluation.model, score_cases(evaluation.predictions, table))
        if table:
            write_json(out / DECISIONS / f"{evaluation.model}.json", asdict(choose_decision(table)))
    metadata = {"model_sha256": ",".join(sorted(cost.model_sha256 for cost in costs.values()))}
    write_table(ScoreRow, rows, out / "benchmark.parquet", metadata)
    write_table(SummaryRow, summary_rows(rows), out / "benchmark_summary.parquet", metadata)
    cost_rows = [CostRow(model, cost) for model, cost in costs.items()]
    write_table(CostRow, cost_rows, out / "benchmark_cost.parquet", metadata)


def score_rows(model: str, scores: Iterable[CaseScore]) -> list[ScoreRow]:
    """Return the rows of the table `benchmark`, one per case and region."""
    return [
        ScoreRow(
            model=model,
            case_id=score.case_id,
            region=region,
            fold=score.fold,
            has_scar=score.has_scar,
            dice=of_region.dice,
            hd95_mm=of_region.distance.hd95_mm,
            hausdorff_mm=of_region.distance.hausdorff_mm,
            volume_ml=of_region.volume_ml,
            reference_volume_ml=of_region.reference_volume_ml,
            scar_share=score.decision.scar_share,
            least_expected_scar_percent=score.decision.least_expected_scar_percent,
            least_mvo_percent=score.decision.least_mvo_percent,
            crop_holds_percent=score.inside_percent,
        )
        for score in scores
        for region, of_region in score.regions.items()
    ]


def summary_rows(rows: Sequence[ScoreRow]) -> list[SummaryRow]:
    """Return the rows of the table `benchmark_summary`, one per model and region, from those of `benchmark`."""
    models = dict.fromkeys(row.model for row in rows)
    return [
        _summary(model, region, [row for row in rows if (row.model, row.region) == (model, region)])
        for model in models
        for region in REGIONS
    ]


def _summary(model: str, region: str, rows: Sequence[ScoreRow]) -> SummaryRow:
    dice = [row.dice for row in rows]
    lower, median, upper = np.percentile(dice, [25, 50, 75]).tolist()
    distances = [row.hd95_mm for row in rows if row.hd95_mm is not None]
    agreed = agreement([row.volume_ml for row in rows], [row.reference_volume_ml for row in rows])
    return SummaryRow(
        model=model,
        region=region,
        cases=len(rows),
        cases_with_scar=sum(row.has_scar for row in rows),
        dice_mean=statistics.fmean(dice),
        dice_median=median,
        dice_lower_quartile=lower,
        dice_upper_quartile=upper,
        dice_with_scar=_mean([row.dice for row in rows if row.has_scar]),
        dice_without_scar=_mean([row.dice for row in rows if not row.has_scar]),
        hd95_median_mm=statistics.median(distances) if distances else None,
        hd95_cases=len(distances),
        bias_ml=agreed.bias,
        lower_limit_ml=agreed.lower_limit,
        upper_limit_ml=agreed.upper_limit,
        bias_percent=agreed.bias_percent,
        cov_percent=agreed.cov_percent,
        icc=agreed.icc,
    )


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
