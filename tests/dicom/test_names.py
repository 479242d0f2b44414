"""What names say, by hand and against a list of real ones that stays outside of the repository."""

import csv
from pathlib import Path

import pytest

from scarnet_cli.dicom.names import NameEvidence, merged_name, read_name

REAL_NAMES = Path(__file__).parents[3] / "shared" / "data" / "series_names" / "cmr_series_descriptions.csv"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LGE_SAX_PSIR", NameEvidence("lge", "sax", "psir", averaged=False)),
        ("tfi_psir_sax_MAG", NameEvidence("lge", "sax", "magnitude", averaged=False)),
        ("PS: SA MDE", NameEvidence("lge", "sax", "psir", averaged=False)),
        ("ORIG MAG: SA MDE", NameEvidence("lge", "sax", "magnitude", averaged=False)),
        ("DE_FB_MOCO_AVG_4CH_PSIR", NameEvidence("lge", "lax", "psir", averaged=True)),
        ("TI Scout", NameEvidence("ti_scout", None, None, averaged=False)),
        ("cine_sax", NameEvidence("cine", "sax", None, averaged=False)),
        ("Molli post SAX", NameEvidence("map", "sax", None, averaged=False)),
        ("SHORT AX viability", NameEvidence("lge", "sax", None, averaged=False)),
        ("", NameEvidence(None, None, None, averaged=False)),
    ],
)
def test_name_is_read_as_a_person_would(name: str, expected: NameEvidence) -> None:
    assert read_name(name) == expected


def test_numbers_do_not_tell_slices_of_one_stack_apart_but_views_stay_apart() -> None:
    assert merged_name("SAX_DE_TI=240_s1") == merged_name("SAX DE TI=265 s12")
    assert merged_name("DE_2CH_TI240") != merged_name("DE_4CH_TI240")


@pytest.mark.skipif(not REAL_NAMES.exists(), reason="the list of real names is not on this machine")
def test_short_axis_lge_is_told_from_real_names_with_few_mistakes() -> None:
    with REAL_NAMES.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "doubtful"]
    said, true = [], []
    for row in rows:
        evidence = read_name(row["series_description"])
        said.append(evidence.kind == "lge" and evidence.view == "sax")
        true.append(row["label"] == "lge_sax")
    right = sum(s and t for s, t in zip(said, true, strict=True))
    assert right / sum(said) > 0.95
    assert right / sum(true) > 0.95
