"""The dictionary and the page of documentation say what the schemas say."""

import csv
import io
from pathlib import Path

from document import parts, with_parts

from scarnet_cli.tables.dictionary import GATHERED, dictionary_csv, dictionary_markdown
from scarnet_cli.tables.schema import TABLES

ROOT = Path(__file__).parents[2]


def test_documented_columns_are_those_of_the_schemas() -> None:
    page = (ROOT / "docs" / "output.md").read_text()
    assert with_parts(page, "tools/document.py tables", parts()) == page, (
        "run .venv/bin/python tools/document.py tables"
    )


def test_markdown_has_a_row_for_every_column() -> None:
    lines = dictionary_markdown().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == sum(len(TABLES[name].names) for name in GATHERED)
    assert all(line.count(" | ") == 3 for line in rows)
    assert "| `scar_g` | double | g | Mass of the segmented scar, MVO included. |" in lines


def test_the_csv_says_of_each_column_what_its_schema_says() -> None:
    rows = iter(csv.DictReader(io.StringIO(dictionary_csv())))
    for table in GATHERED:
        for field in TABLES[table]:
            kind = "list of string" if field.name.split("_")[-1] in ("flags", "segments") else str(field.type)
            unit, meaning = (field.metadata[key].decode() for key in (b"unit", b"meaning"))
            expected = {"table": table, "column": field.name, "type": kind, "unit": unit, "meaning": meaning}
            assert next(rows) == expected
    assert list(rows) == []
