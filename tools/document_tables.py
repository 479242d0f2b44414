"""Write the tables' columns into docs/output.md, from their schemas: .venv/bin/python tools/document_tables.py."""

from pathlib import Path
from typing import Final

from scarnet_cli.cohort.dictionary import BENCHMARK, GATHERED, dictionary_markdown
from scarnet_cli.files import write_bytes

PAGE: Final = Path(__file__).parents[1] / "docs" / "output.md"
_TABLES: Final = {"columns": GATHERED, "benchmark columns": BENCHMARK}


def with_columns(page: str) -> str:
    """Return the page with the parts between its marks made anew."""
    for name, tables in _TABLES.items():
        begin, end = f"<!-- {name}: made by tools/document_tables.py -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{dictionary_markdown(tables)}\n{end}{after}"
    return page


if __name__ == "__main__":
    write_bytes(PAGE, with_columns(PAGE.read_text()).encode())
