"""Where commands write, and in which form."""

import tempfile
from pathlib import Path
from typing import Any

import rich_click as click


class OutputDirectory(click.Path):
    """A directory to write to, created if absent; one that is not writable is a usage error, before any work."""

    def __init__(self) -> None:
        """Accept anything but a file, and return a Path."""
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the directory, after checking that a file can be created in it."""
        path = Path(str(super().convert(value, param, ctx)))
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            self.fail(f"'{path}' cannot be written to: {error.strerror}.", param, ctx)
        return path


OUTPUT_DIRECTORY = OutputDirectory()


TABLE_FORMAT = click.option(
    "--format",
    "table_format",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="csv: write each table as CSV too, beside the Parquet.",
)
