"""A small cohort: two measured studies and two failures, with markup where text from the input may be."""

from pathlib import Path

import pytest
from PIL import Image

from scarnet_cli.cohort.tables import write_table

METADATA = {"model_sha256": "ab" * 32, "creation_time": "2026-11-23T15:00:00+00:00"}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Return a directory as `scarnet gather` writes it."""
    scarred = {
        "study_id": "s1",
        "manufacturer": "<script>alert('maker')</script>",
        "slices": 10,
        "spacing_mm": 1.4,
        "slice_spacing_mm": 10.0,
        "myocardium_g": 105.0,
        "scar_percent_lv": 12.34,
        "scar_5sd_percent_lv": 15.0,
        "mvo_percent_lv": 0.02,
        "scar_components": 2,
        "flags": ["missing_slice", "<b>new_flag"],
        "model": "unet",
        "model_sha256": "ab" * 32,
    }
    healthy = {
        "study_id": "s2",
        "myocardium_g": 95.0,
        "scar_percent_lv": 0.0,
        "mvo_percent_lv": 0.0,
        "flags": ["no_scar"],
    }
    segments = [{"study_id": "s1", "segment": n, "scar_percent": 60.0 if n == 1 else 0.0} for n in range(1, 17)]
    failures = [
        {"study_id": "f1", "stage": "index", "code": "no_lge_stack", "message": "No <i>LGE</i> series; add a rule."},
        {"study_id": "f2", "stage": "index", "code": "no_lge_stack", "message": "No LGE series; add a rule."},
    ]
    out = tmp_path / "tables"
    write_table("scans", [scarred, healthy], out / "scans.parquet", METADATA)
    write_table("segments", segments, out / "segments.parquet", METADATA)
    write_table("failures", failures, out / "failures.parquet", METADATA)
    return out


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Return a directory of studies as the pipeline publishes it; s2 has no picture."""
    folder = tmp_path / "studies" / "s1"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "overlay.png")
    return tmp_path / "studies"
