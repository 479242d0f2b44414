"""The dictionary and the page of documentation say what the schemas say."""

import csv
import importlib.util
import io
from pathlib import Path

from scarnet_cli.tables.dictionary import GATHERED, dictionary_csv, dictionary_markdown
from scarnet_cli.tables.schema import TABLES

ROOT = Path(__file__).parents[2]


def test_documented_columns_are_those_of_the_schemas() -> None:
    spec = importlib.util.spec_from_file_location("document_tables", ROOT / "tools" / "document_tables.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = (ROOT / "docs" / "output.md").read_text()
    assert tool.with_columns(page) == page, "run .venv/bin/python tools/document_tables.py"


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
            kind = "list of string" if field.name == "flags" else str(field.type)
            unit, meaning = (field.metadata[key].decode() for key in (b"unit", b"meaning"))
            expected = {"table": table, "column": field.name, "type": kind, "unit": unit, "meaning": meaning}
            assert next(rows) == expected
    assert list(rows) == []
