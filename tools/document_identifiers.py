"""Write the tables of odd identifiers into docs/dicom.md: .venv/bin/python tools/document_identifiers.py."""

import sys
from pathlib import Path

from page_parts import with_parts

from scarnet_cli.files import write_bytes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from identifiers import PAGE, table

if __name__ == "__main__":
    page = with_parts(PAGE.read_text(), "tools/document_identifiers.py", {"identifiers": f"{table()}\n"})
    write_bytes(PAGE, page.encode())
