"""Habits: how the files of different scanners and archives differ for the same heart.

Siemens writes twin series X_PSIR and X_MAG, often one series per slice; GE prefixes the names with PS: and MAG:;
Philips gives the component in ImageType, has a rescale and may hold magnitude and real images in one series.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

Vendor: TypeAlias = Literal["siemens", "ge", "philips"]
Encoding: TypeAlias = Literal["explicit", "implicit", "deflated", "big_endian", "rle", "jpeg2000"]
Role: TypeAlias = Literal["psir", "magnitude", "localiser", "cine", "ti_scout", "long_axis"]
Twin: TypeAlias = Literal["none", "series", "mixed"]

VENDORS: Final[tuple[Vendor, ...]] = get_args(Vendor)
MANUFACTURERS: Final[dict[Vendor, tuple[str, str]]] = {
    "siemens": ("SIEMENS", "Aera"),
    "ge": ("GE MEDICAL SYSTEMS", "SIGNA Artist"),
    "philips": ("Philips Medical Systems", "Ingenia"),
}
_ENCODINGS: Final[tuple[Encoding, ...]] = get_args(Encoding)
_ENCODING_SHARES: Final = (0.5, 0.16, 0.04, 0.04, 0.08, 0.18)
_DISTRACTORS: Final[tuple[Role, ...]] = ("localiser", "cine", "ti_scout", "long_axis")

# Names of a short-axis stack; {} is replaced by the component's name.
_STACK_NAMES: Final[dict[Vendor, tuple[str, ...]]] = {
    "siemens": ("de_sax_tfl_10min{}", "LGE_SAX_highres{}", "tfi_psir_sax_stack_bh{}", "DE_SAX_TI300_mBH{}"),
    "ge": ("{}SAX LGE 2D MDE", "{}SA DE stack BH", "{}SAX_delay_2D", "{}LGE SAX whole heart"),
    "philips": ("LGE_SA_BH", "SA_DE_viability", "PSIR_TFE_SAX", "LGE_3slice_mBH_SHORT_AX"),
}
_COMPONENT_NAMES: Final[dict[Vendor, dict[Role, str]]] = {
    "siemens": {"psir": "_PSIR", "magnitude": "_MAG"},
    "ge": {"psir": "PS:", "magnitude": "MAG:"},
    "philips": {"psir": "", "magnitude": ""},
}
_OTHER_NAMES: Final[dict[Vendor, dict[Role, str]]] = {
    "siemens": {"localiser": "localizer", "cine": "cine_trufi_sax", "ti_scout": "TI_scout", "long_axis": "de_4ch_tfl"},
    "ge": {"localiser": "3PL LOC", "cine": "SAX FIESTA CINE BH", "ti_scout": "Cine IR", "long_axis": "4CH LGE 2D MDE"},
    "philips": {"localiser": "SURVEY", "cine": "SA_CINE_BTFE", "ti_scout": "LookLocker_TI", "long_axis": "LGE_4CH_BH"},
}
_IMAGE_TYPES: Final[dict[Vendor, dict[Role, list[str]]]] = {
    "siemens": {
        "psir": ["ORIGINAL", "PRIMARY", "R", "NORM", "DIS2D"],
        "magnitude": ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"],
    },
    "ge": {"psir": ["DERIVED", "PRIMARY", "OTHER"], "magnitude": ["ORIGINAL", "PRIMARY", "OTHER"]},
    "philips": {
        "psir": ["ORIGINAL", "PRIMARY", "R_IR", "R", "IR"],
        "magnitude": ["ORIGINAL", "PRIMARY", "M_IR", "M", "IR"],
    },
}


@dataclass(frozen=True, slots=True)
class Habit:
    """One way to write a study.

    Attributes:
        vendor: Vendor whose names and tags are used.
        stack_name: SeriesDescription of the short-axis stack, with {} for the component's name.
        encoding: Transfer syntax.
        series_per_slice: True if each slice of the short-axis stack is a series of its own.
        inversion_time: Whether InversionTime is given, absent or 0.
        twin: Whether the other component is not written, a series of its own, or in the same series.
        distractors: Other series of the study.
        shuffled: True if file names and instance numbers do not follow the order of the slices.
        contrast_agent: True if ContrastBolusAgent is given.
    """

    vendor: Vendor = "siemens"
    stack_name: str = "LGE_SAX{}"
    encoding: Encoding = "explicit"
    series_per_slice: bool = False
    inversion_time: Literal["given", "absent", "zero"] = "given"
    twin: Twin = "none"
    distractors: tuple[Role, ...] = ()
    shuffled: bool = False
    contrast_agent: bool = True


def draw_habit(rng: np.random.Generator, vendor: Vendor | None = None) -> Habit:
    """Return a random habit, of `vendor` if given."""
    vendor = vendor or VENDORS[int(rng.integers(len(VENDORS)))]
    twins: tuple[Twin, ...] = ("none", "series", "mixed") if vendor == "philips" else ("none", "series", "series")
    others: list[Role] = [role for role in _DISTRACTORS if rng.integers(2)]
    times: tuple[Literal["given", "absent", "zero"], ...] = ("given", "absent", "zero")
    return Habit(
        vendor=vendor,
        stack_name=_STACK_NAMES[vendor][int(rng.integers(4))],
        encoding=_ENCODINGS[int(rng.choice(len(_ENCODINGS), p=_ENCODING_SHARES))],
        series_per_slice=vendor == "siemens" and bool(rng.integers(2)),
        inversion_time=times[int(rng.choice(3, p=(0.6, 0.25, 0.15)))],
        twin=twins[int(rng.integers(3))],
        distractors=tuple(others),
        shuffled=bool(rng.integers(2)),
        contrast_agent=bool(rng.integers(2)),
    )


def without_twin(habit: Habit) -> Habit:
    """Return the habit with one component only."""
    return replace(habit, twin="none")


def series_description(habit: Habit, role: Role) -> str:
    """Return a series' SeriesDescription in the vendor's manner."""
    if role in ("psir", "magnitude"):
        return habit.stack_name.format(_COMPONENT_NAMES[habit.vendor][role])
    return _OTHER_NAMES[habit.vendor][role]


def image_type(habit: Habit, role: Role) -> list[str]:
    """Return a series' ImageType, by default that of magnitude images."""
    types = _IMAGE_TYPES[habit.vendor]
    return types[role] if role in types else types["magnitude"]
