"""Paths that a command reads and that must be there; a missing one is a usage error."""

from pathlib import Path
from typing import Final

import rich_click as click

EXISTING_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
