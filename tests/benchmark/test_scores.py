from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.benchmark.crossval import CaseScore, Prediction, score_cases, score_table
from scarnet_cli.benchmark.predictions import Evaluation
from scarnet_cli.benchmark.scores import score_rows, summary_rows, write_benchmark
from scarnet_cli.benchmark.systems import FINAL_SHARE
from scarnet_cli.files import read_json
from scarnet_cli.image.labels import Label
from scarnet_cli.infer.evidence import Evidence
from scarnet_cli.tables.benchmark import CostMeasures
from scarnet_cli.tables.parquet import read_table

VOXEL_ML = 10.0 * 1.6 * 1.2 / 1000.0


def evaluation(model: str, *, missed: int = 0) -> Evaluation:
    """Return a cohort of two scarred hearts and a normal one, labelled as the expert did but for `missed` scar voxels.

    The normal heart gets as many voxels of invented scar.
    """
    predictions: list[Prediction] = []
    for number in range(3):
        case = toy_case(f"Case_{number}", scar=number < 2)
        labels = case.labels.array.copy()
        old, new = (Label.SCAR, Label.MYOCARDIUM) if case.has_scar else (Label.MYOCARDIUM, Label.SCAR)
        labels[tuple(np.argwhere(labels == old)[:missed].T)] = new
        predictions.append(Prediction(case, number % 2, {FINAL_SHARE: labels}, None))
    return Evaluation(model, 2, tuple(predictions))


def scores(of: Evaluation) -> list[CaseScore]:
    return score_cases(of.predictions, score_table(of.predictions))


def scar_voxels() -> int:
    return int((toy_case("Case_0", scar=True).labels.array == Label.SCAR).sum())


def test_rows_have_every_region_of_every_case() -> None:
    rows = score_rows("unet", scores(evaluation("unet")))
    assert [(row.case_id, row.region) for row in rows[:5]] == [
        ("Case_0", "blood_pool"),
        ("Case_0", "myocardium"),
        ("Case_0", "scar"),
        ("Case_0", "mvo"),
        ("Case_1", "blood_pool"),
    ]
    assert len(rows) == 12


def test_summary_is_worked_out_by_hand() -> None:
    rows = score_rows("unet", scores(evaluation("unet", missed=100)))
    scar = next(row for row in summary_rows(rows) if row.region == "scar")
    all_scar = scar_voxels()
    dice = 2 * (all_scar - 100) / (2 * all_scar - 100)
    assert (scar.cases, scar.cases_with_scar, scar.hd95_cases) == (3, 2, 2)
    assert scar.dice_with_scar == pytest.approx(dice)
    assert scar.dice_without_scar == 0.0
    assert scar.dice_mean == pytest.approx(2 * dice / 3)
    assert scar.dice_median == pytest.approx(dice)
    # Two hearts lose 100 voxels, one gains 100; SD of (-100, -100, 100) is 115.5.
    assert scar.bias_ml == pytest.approx(-100 / 3 * VOXEL_ML)
    assert scar.upper_limit_ml == pytest.approx((-100 / 3 + 1.96 * 200 / 3**0.5) * VOXEL_ML)
    assert scar.cov_percent == pytest.approx(100 * (200 / 3**0.5) / (2 * all_scar / 3))


def test_regions_that_nobody_drew_agree_and_have_no_distance() -> None:
    rows = score_rows("unet", scores(evaluation("unet")))
    mvo = next(row for row in summary_rows(rows) if row.region == "mvo")
    assert (mvo.dice_mean, mvo.hd95_median_mm, mvo.hd95_cases) == (1.0, None, 0)
    assert (mvo.bias_ml, mvo.cov_percent, mvo.icc) == (0.0, None, None)


def test_tables_hold_all_models_and_the_costs_that_are_known(tmp_path: Path) -> None:
    cost = CostMeasures("ab" * 32, 1_960_000, 1.5, 20.0, 31.5, 8, "cpu", 2)
    write_benchmark([evaluation("unet"), evaluation("medsam", missed=5)], {"unet": cost}, tmp_path)
    tables = {name: read_table(tmp_path / f"benchmark{name}.parquet") for name in ("", "_summary", "_cost")}
    assert [table.num_rows for table in tables.values()] == [24, 8, 1]
    assert set(tables[""]["model"].to_pylist()) == {"unet", "medsam"}
    assert tables["_cost"].to_pylist()[0]["slices_per_second_best"] == 31.5
    assert tables[""].schema.metadata[b"model_sha256"] == b"ab" * 32
    assert not (tmp_path / "decisions").exists()  # label maps leave nothing to decide


def test_thresholds_chosen_on_all_cases_are_kept_for_the_weights(tmp_path: Path) -> None:
    labelled = evaluation("unet")
    both = tuple(
        replace(
            p,
            evidence=Evidence(25.0 if p.case.has_scar else 0.0),
            labels={
                0.6: np.where(p.labels[FINAL_SHARE] == Label.SCAR, Label.MYOCARDIUM, p.labels[FINAL_SHARE]),
                0.4: p.labels[FINAL_SHARE],
            },
        )
        for p in labelled.predictions
    )
    write_benchmark([replace(labelled, predictions=both)], {}, tmp_path)
    assert read_json(tmp_path / "decisions" / "unet.json")["scar_share"] == 0.4
