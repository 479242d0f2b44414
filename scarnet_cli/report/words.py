"""Codes in words, and numbers as people write them."""

from typing import Final

# Short enough for a table's cell. A code that is not here is shown with spaces for underscores: a new flag can be
# read before it has its entry.
CODE_WORDS: Final[dict[str, str]] = {
    "latest_stack_chosen": "several stacks, latest taken",
    "lge_by_header": "LGE told by header, not by name",
    "lge_unproven": "LGE told by geometry alone",
    "view_uncertain": "short axis uncertain",
    "slices_left_out": "slices on another grid left out",
    "duplicate_files": "duplicate files",
    "repeated_positions": "repeated slices, latest taken",
    "near_duplicates": "nearly repeated slices",
    "orientation_repaired": "slice directions repaired",
    "heart_crop_cut_off": "heart at the picture's edge",
    "heart_uncertain": "heart found with little confidence",
    "faint_scar_dropped": "faint scar dropped",
    "no_cavity": "no blood pool",
    "no_myocardium": "no myocardium",
    "no_scar": "no scar",
    "no_remote": "no remote myocardium",
    "remote_borrowed": "remote myocardium from a neighbouring slice",
    "mvo_without_scar": "MVO outside scar",
    "few_slices": "fewer than three slices",
    "missing_slice": "slice without myocardium between others",
    "myocardium_in_pieces": "myocardium in pieces",
}
# Findings rather than doubts: shown, but a study that has only these does not count as flagged.
HARMLESS: Final = frozenset({"no_scar"})
_CAPITALS: Final = frozenset({"lge", "rv", "lv", "mvo", "mr", "dicom", "nifti", "uid"})

SEGMENT_NAMES: Final = (
    "basal anterior",
    "basal anteroseptal",
    "basal inferoseptal",
    "basal inferior",
    "basal inferolateral",
    "basal anterolateral",
    "mid anterior",
    "mid anteroseptal",
    "mid inferoseptal",
    "mid inferior",
    "mid inferolateral",
    "mid anterolateral",
    "apical anterior",
    "apical septal",
    "apical inferior",
    "apical lateral",
    "apex",
)
UNDEFINED: Final = "\N{EN DASH}"


def code_words(code: str) -> str:
    """Return the meaning of a flag's or failure's code as a short phrase."""
    spelt = " ".join(word.upper() if word in _CAPITALS else word for word in code.split("_"))
    words = CODE_WORDS.get(code, spelt)
    return words[:1].upper() + words[1:]


def number_text(value: float | None, digits: int = 1) -> str:
    """Return a number with fixed digits after the point; undefined is a dash, and a small one is not made zero."""
    if value is None:
        return UNDEFINED
    least = 10.0**-digits
    if 0 < value < least / 2:
        return f"<{least:.{digits}f}"
    return f"{value:.{digits}f}"


def count_text(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: "1 study", "3 studies"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
