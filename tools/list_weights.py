"""Write weights/SHA256SUMS, and the digest in each model card: .venv/bin/python tools/list_weights.py."""

import hashlib
import re
import sys
from pathlib import Path
from typing import Final

from scarnet_cli.files import write_bytes
from scarnet_cli.model.store import DIGESTS, SHIPPED, SUFFIX

_DIGEST: Final = re.compile(r"^- Digest \(SHA-256\): .*$", re.MULTILINE)


def list_weights(folder: Path) -> None:
    """Write a folder's SHA256SUMS, and the line `- Digest (SHA-256): ...` in the card beside each weights file.

    Raises:
        ValueError: A card is missing or lacks that line.
    """
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob(f"*{SUFFIX}"))}
    cards = {path.with_suffix(".md"): digest for path, digest in digests.items()}
    for card in cards:
        if not card.is_file() or not _DIGEST.search(card.read_text()):
            message = f"{card.name} is missing or has no line '- Digest (SHA-256): ...'."
            raise ValueError(message)
    for card, digest in cards.items():
        write_bytes(card, _DIGEST.sub(f"- Digest (SHA-256): `{digest}`", card.read_text()).encode())
    lines = "".join(f"{digest}  {path.name}\n" for path, digest in digests.items())
    write_bytes(folder / DIGESTS, lines.encode())


if __name__ == "__main__":
    try:
        list_weights(SHIPPED)
    except ValueError as error:
        sys.exit(str(error))
