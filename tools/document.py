"""Write the generated parts of the pages in docs/: .venv/bin/python tools/document.py tables|inputs|identifiers|cases.

Each part stands between two marks. Those of tables, inputs and identifiers take seconds; cases runs other converters.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scarnet_cli.files import write_bytes
from scarnet_cli.tables.dictionary import BENCHMARK, COMPARED, GATHERED, INDEXED, dictionary_markdown, flags_markdown

ROOT: Final = Path(__file__).resolve().parent.parent
# Name of the parts -> their page, and the module whose `parts` makes them.
PAGES: Final = {
    "tables": ("output.md", "document"),
    "inputs": ("usage.md", "input_kinds"),
    "identifiers": ("dicom.md", "identifiers"),
    "cases": ("dicom.md", "converter_table"),
}


def parts() -> dict[str, str]:
    """Return the tables' columns and the flags, in Markdown."""
    return {
        "columns": dictionary_markdown(GATHERED),
        "flags": flags_markdown(),
        "index columns": dictionary_markdown(INDEXED),
        "benchmark columns": dictionary_markdown(BENCHMARK),
        "diff columns": dictionary_markdown(COMPARED),
    }


def with_parts(page: str, made_by: str, made: Mapping[str, str]) -> str:
    """Return a page with its generated parts replaced.

    Args:
        page: The page's text.
        made_by: The command that generates the parts, as named in the marks.
        made: Name of each part, as in the marks -> its new text.
    """
    for name, text in made.items():
        begin, end = f"<!-- {name}: made by {made_by} -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
    for name in sys.argv[1:]:
        page, module = PAGES[name]
        path = ROOT / "docs" / page
        made = importlib.import_module(module).parts()
        write_bytes(path, with_parts(path.read_text(), f"tools/document.py {name}", made).encode())
