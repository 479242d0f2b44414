"""Makes a cohort's tables of any size from random numbers, and one picture for all its studies."""

import math
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from table_rows import write_rows

from scarnet_cli.tables.flags import FLAGS

METADATA = {"model_sha256": "ab" * 32, "creation_time": "2026-11-23T15:00:00+00:00"}
MARKUP = "<img src=x onerror=alert(1)>"

Rows = Sequence[Mapping[str, Any]]


def write_tables(out: Path, scans: Rows, segments: Rows = (), series: Rows = (), failures: Rows = ()) -> None:
    """Write the tables as `scarnet gather` does."""
    for name, rows in (("scans", scans), ("segments", segments), ("series", series), ("failures", failures)):
        write_rows(name, rows, out / f"{name}.parquet", METADATA)


def write_cohort(out: Path, studies: int, *, failed: int = 0) -> None:
    """Write OUT/tables and OUT/studies of so many measured and failed studies; the same each time."""
    chance = random.Random(studies)
    scans = made_scans(studies)
    segments = [
        {"study_id": scan["study_id"], "segment": n, "scar_percent": share, "transmurality": min(100.0, 1.4 * share)}
        for scan in scans
        for n in range(1, 17)
        for share in [min(100.0, max(0.0, chance.gauss(2 * scan["scar_percent_lv"] - 10, 25)))]
    ]
    series = [
        {"study_id": scan["study_id"], "description": "LGE short axis", "chosen": True, "reason": "named as LGE"}
        for scan in scans
    ]
    codes = ("no_lge_stack", "missing_slice", "bad_pixels")
    failures = [
        {"study_id": f"F{n:05}", "stage": "convert", "code": codes[n % 3], "message": "It is broken; send it again."}
        for n in range(failed)
    ]
    write_tables(out / "tables", scans, segments, series, failures)
    picture = out / "overlay.png"
    Image.effect_noise((1224, 524), 40).save(picture)
    Image.new("L", (1224, 524)).save(out / "plain.webp")
    for scan in scans:
        folder = out / "studies" / scan["study_id"]
        folder.mkdir(parents=True)
        os.link(picture, folder / "overlay.png")
        os.link(out / "plain.webp", folder / "plain.webp")


def made_scans(studies: int) -> list[dict[str, Any]]:
    """Return rows of scans with groups, sites, visits and, for every second study, a reference; the same each time."""
    chance = random.Random(studies)
    return [_scan(chance, number) for number in range(studies)]


def _scan(chance: random.Random, number: int) -> dict[str, Any]:
    scar = max(0.0, chance.gauss(14, 11))
    reference = max(0.0, scar + chance.gauss(0.5, 3)) if number % 2 else None
    mass = max(40.0, chance.gauss(125, 28))
    flags = [code for code in FLAGS if code != "no_scar" and chance.random() < 0.015] + (["no_scar"] * (scar == 0))
    return {
        "study_id": f"S{number:05}",
        "manufacturer": chance.choice(["SIEMENS", "GE", "Philips"]),
        "slices": 10,
        "spacing_mm": 1.4,
        "slice_spacing_mm": 9.0,
        "blood_pool_ml": chance.gauss(130, 30),
        "myocardium_ml": mass / 1.05,
        "myocardium_g": mass,
        "scar_ml": scar * mass / 105,
        "scar_g": scar * mass / 100,
        "scar_percent_lv": scar,
        "mvo_ml": 0.0,
        "mvo_percent_lv": max(0.0, chance.gauss(-0.5, 1.0)),
        **{f"scar_{n}sd_percent_lv": scar * (1.6 - 0.14 * n) + 1 for n in range(2, 7)},
        "scar_fwhm_percent_lv": scar * 0.95,
        "core_percent_lv": scar * 0.8,
        "border_percent_lv": scar * 0.2,
        "transmurality_mean": chance.uniform(20, 90) if scar else None,
        "confidence": 1 - abs(chance.gauss(0, 0.08)),
        "flags": flags,
        "model": "scarnet",
        "model_sha256": "ab" * 32,
        "pipeline_version": "0.1.0",
        "group": chance.choice(["control", "ischaemic", "non-ischaemic", "myocarditis"]),
        "site": chance.choice(["Aachen", "Bern", "Cardiff"]),
        "patient": f"P{number // 2:05}",
        "visit": "baseline" if number % 2 else "follow-up",
        "reference_scar_percent_lv": reference,
        "reference_scar_ml": None if reference is None else reference * mass / 105,
        "reference_myocardium_ml": None if reference is None else mass / 1.05 + chance.gauss(2, 6),
        "scar_dice": None if reference is None else 1 - min(1.0, abs(chance.gauss(0.2, 0.15))),
        "myocardium_dice": None if reference is None else 1 - min(1.0, abs(chance.gauss(0.14, 0.03))),
        "scar_hd95_mm": None if reference is None or math.isclose(reference, 0) else abs(chance.gauss(8, 4)),
        "myocardium_hd95_mm": None if reference is None else abs(chance.gauss(5, 2)),
    }
