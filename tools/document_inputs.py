"""Write into docs/usage.md what happens with every kind of input: .venv/bin/python tools/document_inputs.py.

The inputs are made, indexed and converted (tests/input_kinds.py), and the tables say what came of it.
"""

import sys
from pathlib import Path
from typing import Final

from scarnet_cli.files import write_bytes

_ROOT: Final = Path(__file__).parents[1]
PAGE: Final = _ROOT / "docs" / "usage.md"


def with_tables(page: str, tables: dict[str, str]) -> str:
    """Return the page with the tables between their marks made anew."""
    for name, table in tables.items():
        begin, end = f"<!-- what it {name}: made by tools/document_inputs.py -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


if __name__ == "__main__":
    sys.path[:0] = [str(_ROOT / "tests"), str(_ROOT)]
    from input_kinds import tables

    write_bytes(PAGE, with_tables(PAGE.read_text(), tables()).encode())
