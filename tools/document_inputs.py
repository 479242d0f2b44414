"""Write the tables of input kinds into docs/usage.md: .venv/bin/python tools/document_inputs.py.

The inputs are made, indexed and converted (tests/input_kinds.py), and the tables give the results.
"""

import sys
from pathlib import Path
from typing import Final

from page_parts import with_parts

from scarnet_cli.files import write_bytes

_ROOT: Final = Path(__file__).parents[1]
PAGE: Final = _ROOT / "docs" / "usage.md"


if __name__ == "__main__":
    sys.path[:0] = [str(_ROOT / "tests"), str(_ROOT)]
    from input_kinds import tables

    made = {f"what it {name}": table for name, table in tables().items()}
    write_bytes(PAGE, with_parts(PAGE.read_text(), "tools/document_inputs.py", made).encode())
