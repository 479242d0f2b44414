"""Write the tables' columns and the flags into docs/output.md: .venv/bin/python tools/document_tables.py."""

from pathlib import Path
from typing import Final

from page_parts import with_parts

from scarnet_cli.files import write_bytes
from scarnet_cli.tables.dictionary import BENCHMARK, GATHERED, INDEXED, dictionary_markdown, flags_markdown

PAGE: Final = Path(__file__).parents[1] / "docs" / "output.md"
_PARTS: Final = {
    "columns": lambda: dictionary_markdown(GATHERED),
    "flags": flags_markdown,
    "index columns": lambda: dictionary_markdown(INDEXED),
    "benchmark columns": lambda: dictionary_markdown(BENCHMARK),
}


def with_columns(page: str) -> str:
    """Return the page with the parts between its marks renewed."""
    return with_parts(page, "tools/document_tables.py", {name: markdown() for name, markdown in _PARTS.items()})


if __name__ == "__main__":
    write_bytes(PAGE, with_columns(PAGE.read_text()).encode())
