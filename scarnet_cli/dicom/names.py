"""What a series' name says: evidence, never proof.

The rules are a table, `name_rules.csv`: of each column the first that fits counts.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

LGE: Final = "lge"
SAX: Final = "sax"
LAX: Final = "lax"


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """What a name says.

    Attributes:
        kind: "lge", another kind ("ti_scout", "cine", ...), or None where it says nothing.
        view: "sax", "lax", "mixed" or None.
        component: "psir", "magnitude" or None.
        averaged: It is an average of repeats.
    """

    kind: str | None
    view: str | None
    component: str | None
    averaged: bool


@cache
def _rules() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    table = files("scarnet_cli.dicom").joinpath("name_rules.csv").read_text(encoding="utf-8")
    return tuple((row["what"], row["value"], re.compile(row["pattern"])) for row in csv.DictReader(table.splitlines()))


@cache
def read_name(name: str) -> NameEvidence:
    """Judge a SeriesDescription or ProtocolName; case, underscores and repeated blanks do not matter."""
    plain = re.sub(r"[\s_]+", " ", name.lower()).strip()
    found: dict[str, str] = {}
    for what, value, pattern in _rules():
        if what not in found and pattern.search(plain):
            found[what] = value
    return NameEvidence(found.get("kind"), found.get("view"), found.get("component"), "averaged" in found)


@cache
def merged_name(name: str) -> str:
    """Return a name without what differs between slices of one stack: numbers (inversion time, slice) and signs."""
    plain = re.sub(r"([234])[\s_-]*(?=ch)", lambda m: "abc"[int(m[1]) - 2], name.lower())
    return re.sub(r"[^a-z]+", " ", plain).strip()
