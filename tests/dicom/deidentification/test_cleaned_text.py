"""Of free text only known words stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scarnet_cli.dicom.deidentification.cleaned_text import cleaned, known_words, quote_cleaner
from scarnet_cli.dicom.series.names import read_name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("LGE_SAX_PSIR", "LGE_SAX_PSIR"),
        ("DE SAX PSIR Müller 29.02.1944", "DE SAX PSIR …"),
        ("Smith, J. 2ch LGE", "…. 2ch LGE"),
        ("MAG: 4CH_DE (Dr. O'Brien)", "MAG: 4CH_DE (…)"),
        ("SAX-12345678", "SAX-…"),
        ("Сердце SAX", "… SAX"),
        ("LGESmith", "…"),
        ("", ""),
        ("SIEMENS", "SIEMENS"),
        ("GE MEDICAL SYSTEMS Smith", "GE MEDICAL SYSTEMS …"),
    ],
)
def test_known_words_stay_and_nothing_else(text: str, kept: str) -> None:
    assert cleaned(text) == kept


@given(st.text())
def test_no_letter_or_digit_stays_outside_of_known_words(text: str) -> None:
    words = "".join(c if c.isalnum() else " " for c in cleaned(text)).split()
    assert {word.lower() for word in words} <= known_words()
    assert cleaned(cleaned(text)) == cleaned(text)


def test_what_tells_lge_and_short_axis_stays_readable() -> None:
    for name in ("DE_SAX_PSIR", "SAX MDE", "PS: LGE SA", "psir_tfl_sax MOCO_AVG", "4ch DE"):
        assert read_name(cleaned(name)) == read_name(name)


MESSAGE = "None is a short-axis stack of late enhancement. Nearest was '{}': 3 positions; a stack has at least 4."


@pytest.mark.parametrize(
    "name", ["LGE Smith", "LGE O'Brien's heart", "Smith", "7 LGE 7", "S", "LGE (Smith) [x] \\d+", "Wu"]
)
def test_what_a_message_quotes_is_cleaned_and_the_rest_stays(name: str) -> None:
    assert quote_cleaner({name})(MESSAGE.format(name)) == MESSAGE.format(cleaned(name))


def test_words_of_a_name_are_found_where_the_message_cuts_or_changes_it() -> None:
    texts = {"LGE SMITH_JANE 19440229", "LGE"}
    assert quote_cleaner(texts)("taken: lge smith jane; 4 slices, no 19440229") == "taken: lge … …; 4 slices, no …"
    assert (
        quote_cleaner({"SMITH"})("no grey-scale MR images (modality SMITH)") == "no grey-scale MR images (modality …)"
    )


def test_a_message_about_known_words_alone_stays_as_it_is() -> None:
    assert quote_cleaner({"LGE SAX", "MR"})(MESSAGE.format("LGE SAX")) == MESSAGE.format("LGE SAX")
