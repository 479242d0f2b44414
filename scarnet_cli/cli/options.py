"""Types of command line options that several commands share."""

import tempfile
from pathlib import Path
from typing import Any

import rich_click as click


class OutputDirectory(click.Path):
    """A directory to write to, made when absent; one that cannot be written to is wrong usage, told before any work."""

    def __init__(self) -> None:
        """Accept what is no file, as a Path."""
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the directory after a file could be made in it."""
        path = Path(str(super().convert(value, param, ctx)))
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            self.fail(f"'{path}' cannot be written to: {error.strerror}.", param, ctx)
        return path


OUTPUT_DIRECTORY = OutputDirectory()
