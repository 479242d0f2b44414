"""Write the tables of odd identifiers into docs/dicom.md: .venv/bin/python tools/document_identifiers.py."""

import sys
from pathlib import Path

from scarnet_cli.files import write_bytes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from identifiers import BEGIN, END, PAGE, table

if __name__ == "__main__":
    before, rest = PAGE.read_text().split(BEGIN)
    write_bytes(PAGE, f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END)[1]}".encode())
