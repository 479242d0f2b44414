"""The columns that outside scripts read, as design promises them."""

import pytest

from scarnet_cli.tables.schema import SORT_KEYS, TABLES

SCANS = """study_id study_instance_uid manufacturer slices spacing_mm slice_spacing_mm blood_pool_ml myocardium_ml
myocardium_g scar_ml scar_g scar_percent_lv mvo_ml mvo_percent_lv scar_2sd_percent_lv scar_3sd_percent_lv
scar_4sd_percent_lv scar_5sd_percent_lv scar_6sd_percent_lv scar_fwhm_percent_lv core_percent_lv border_percent_lv
transmurality_mean scar_components confidence flags model model_sha256 pipeline_version"""

PROMISED = {
    "scans": SCANS.split(),
    "slices": ["study_id", "slice", "z_mm", "scar_percent"],
    "segments": ["study_id", "segment", "scar_percent", "transmurality"],
    "series": ["study_id", "series_instance_uid", "description", "chosen", "reason"],
    "failures": ["study_id", "stage", "code", "message"],
    "studies": ["study_id", "study_digest", "batch"],
}
UNITS = {"_mm": "mm", "_mm2": "mm2", "_ml": "ml", "_g": "g", "_percent": "percent", "_percent_lv": "percent"}


@pytest.mark.parametrize("table", PROMISED)
def test_table_has_the_promised_columns(table: str) -> None:
    assert set(PROMISED[table]) <= set(TABLES[table].names)


def test_every_column_has_a_meaning_and_a_unit_entry() -> None:
    for schema in TABLES.values():
        for field in schema:
            assert field.metadata[b"meaning"].endswith(b".")
            assert b"unit" in field.metadata


def test_a_name_that_ends_in_a_unit_has_that_unit() -> None:
    for schema in TABLES.values():
        for field in schema:
            expected = [unit for ending, unit in UNITS.items() if field.name.endswith(ending)]
            assert not expected or field.metadata[b"unit"].decode() == expected[0], field.name


def test_no_table_has_a_column_twice() -> None:
    for schema in TABLES.values():
        assert len(schema.names) == len(set(schema.names))


def test_sort_keys_are_columns() -> None:
    assert SORT_KEYS.keys() == TABLES.keys()
    for table, keys in SORT_KEYS.items():
        assert set(keys) <= set(TABLES[table].names)
