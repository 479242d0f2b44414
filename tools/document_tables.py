"""Write the tables' columns into docs/output.md, from their schemas: .venv/bin/python tools/document_tables.py."""

from pathlib import Path
from typing import Final

from scarnet_cli.cohort.dictionary import dictionary_markdown
from scarnet_cli.files import write_bytes

PAGE: Final = Path(__file__).parents[1] / "docs" / "output.md"
_BEGIN: Final = "<!-- columns: made by tools/document_tables.py -->\n"
_END: Final = "<!-- end of columns -->\n"


def with_columns(page: str) -> str:
    """Return the page with the part between its two marks made anew."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n{dictionary_markdown()}\n{_END}{after}"


if __name__ == "__main__":
    write_bytes(PAGE, with_columns(PAGE.read_text()).encode())
