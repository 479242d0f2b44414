"""Magnitude or phase-sensitive, by header, name and values."""

from collections.abc import Sequence

import pytest
from dicom_series import make_series

from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.series.components import Component, components_of, header_component
from scarnet_cli.dicom.series.rules_file import built_in_rules


def components(image_types: Sequence[str], name: str = "LGE") -> list[Component]:
    """Return the component of each frame of one series with these third and further values of ImageType."""
    frames = []
    for i, words in enumerate(image_types):
        (dataset,) = make_series(1, name=name, image_type=("ORIGINAL", "PRIMARY", *words.split("\\")))
        frames.append(Frame(FoundFile(f"{i}", None, 1, 1), frame_facts(dataset)[0]))
    found = components_of(frames, built_in_rules())
    return [found[id(frame)] for frame in frames]


@pytest.mark.parametrize(
    ("complex_component", "image_type", "expected"),
    [
        ("REAL", None, "psir"),
        ("MAGNITUDE", "ORIGINAL\\PRIMARY\\R", "magnitude"),
        (None, "ORIGINAL\\PRIMARY\\R_IR\\R\\IR", "psir"),
        (None, "ORIGINAL\\PRIMARY\\M_IR\\M\\IR", "magnitude"),
        (None, "ORIGINAL\\PRIMARY\\M\\PSIR", "psir"),
        (None, "ORIGINAL\\PRIMARY\\P\\ND", "other"),
        (None, "ORIGINAL\\PRIMARY\\OTHER", None),
        (None, None, None),
        ("MIXED", "ORIGINAL\\PRIMARY\\M", "magnitude"),
    ],
)
def test_component_is_told_by_the_standard_field_first(
    complex_component: str | None, image_type: str | None, expected: str | None
) -> None:
    (dataset,) = make_series(1)
    del dataset.ImageType
    if image_type:
        dataset.ImageType = image_type.split("\\")
    if complex_component:
        dataset.ComplexImageComponent = complex_component
    found = header_component(frame_facts(dataset)[0], built_in_rules())
    assert (found.value if found else None) == expected


def test_the_corrected_real_image_is_told_from_the_real_one_within_a_series() -> None:
    found = components(["M_IR\\M\\IR", "R_IR\\R\\IR", "CR\\R\\IR"])
    assert [(c.value, c.grade) for c in found] == [("magnitude", 0), ("psir", 1), ("psir", 0)]


def test_one_way_of_writing_a_component_has_no_grades() -> None:
    assert {c.grade for c in components(["R_IR\\R", "R_IR\\R"])} == {0}


def test_a_name_tells_where_the_header_does_not() -> None:
    assert [c.value for c in components(["OTHER"], name="ORIG MAG: SA MDE")] == ["magnitude"]


def test_a_suffix_outweighs_an_image_type_that_says_magnitude_and_a_word_within_does_not() -> None:
    assert [c.value for c in components(["M"], name="tfl_sax_PSIR")] == ["psir"]
    assert [c.value for c in components(["M"], name="tfl_psir_sax")] == ["magnitude"]
    assert [c.value for c in components(["OTHER"], name="tfl_psir_sax")] == ["psir"]


def test_a_component_says_how_it_is_known() -> None:
    (told,) = components(["PSIR"])
    assert told.words.startswith("'PSIR' in ImageType (built-in: ")
    (unknown,) = components(["OTHER"])
    assert unknown.words == "nothing says which"
