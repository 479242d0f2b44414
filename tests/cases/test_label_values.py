from pathlib import Path

import numpy as np
import pytest

from scarnet_cli.cases.label_values import label_named, read_label_values, to_labels
from scarnet_cli.errors import GeometryError, InputError
from scarnet_cli.image.labels import Label


def write_values(root: Path, *rows: str) -> Path:
    path = root / "values.csv"
    path.write_text("\n".join(["value,label", *rows, ""]))
    return path


def test_values_of_another_tool_become_ours(tmp_path: Path) -> None:
    values = read_label_values(write_values(tmp_path, "500,blood_pool", "200,myocardium", "-3,scar", "600,background"))
    theirs = np.array([[0.0, 500.0, 200.0], [-3.0, 600.0, 200.0]])  # whole floats, as some tools write them
    labels = to_labels(theirs, values, "P7")
    assert labels.tolist() == [[0, 1, 2], [3, 0, 2]]
    assert labels.dtype == np.uint8


def test_a_value_that_is_not_in_the_table_raises() -> None:
    with pytest.raises(GeometryError, match=r"P7: label values \[7\] are not among \[0, 1, 2, 3, 4\]; say what"):
        to_labels(np.array([0, 7]), None, "P7")


def test_labels_stored_by_slope_are_whole_but_for_rounding() -> None:
    """255 stands for 4: 1 is stored as 64, and read as 1.0039."""
    stored = np.array([0, 64, 128, 191, 255]) * np.float32(4 / 255)
    assert to_labels(stored, None, "P7").tolist() == [0, 1, 2, 3, 4]


def test_an_image_in_the_place_of_a_label_map_is_refused_in_a_few_words() -> None:
    with pytest.raises(GeometryError, match=r"values \[0.5, 1.5, .*, 7.5, \.\.\.\] are not among") as raised:
        to_labels(np.arange(1000) + 0.5, None, "P7")
    assert len(str(raised.value)) < 200


def test_wrong_rows_of_label_values_are_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read_label_values(write_values(tmp_path, "one,scar", "2,Infarct", "3,scar", "3,mvo"))
    words = str(raised.value)
    assert "3 of the label table's 4 rows are wrong" in words
    assert "value 'one' is not a whole number" in words
    assert "label 'Infarct' is none of background, blood_pool, myocardium, scar, mvo" in words
    assert "line 5: its value stands in line 4 too" in words


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("LV_blood_pool", Label.BLOOD_POOL),
        ("Healthy myocardium", Label.MYOCARDIUM),
        ("Myocardium w/o scar", Label.MYOCARDIUM),
        ("Myocardium (excluding infarct)", Label.MYOCARDIUM),
        ("Myocardial scar without MVO", Label.SCAR),
        ("Superior myocardial infarction", Label.SCAR),
        ("Infarct: no-reflow", Label.MVO),
        *((name, None) for name in ("Non-enhanced myocardium", "unenhanced myocardium", "nonviable myocardium")),
        *((name, None) for name in ("Myocardium, no scar", "scar-free myocardium", "Myocardium with scar", "Scar+MVO")),
        *((name, None) for name in ("RV myocardium", "Right ventricle cavity", "LA blood", "Atrial scar")),
        *((name, None) for name in ("Peri-infarct zone", "Grey zone fibrosis", "Enhanced blood pool", "Segment_1")),
    ],
)
def test_a_segment_s_name_means_a_label_only_where_it_says_no_other(name: str, label: Label | None) -> None:
    assert label_named(name) == label
