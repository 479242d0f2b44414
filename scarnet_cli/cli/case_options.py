"""Labelled cases, their folds and what their label values mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from scarnet_cli.buckets.place import is_address
from scarnet_cli.cli.paths import EXISTING_FILE

if TYPE_CHECKING:
    from scarnet_cli.cases.cases import Case


class LabelledCases(click.Path):
    """Labelled cases: a folder in EMIDEC's layout, or a CSV table."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the path; a DICOMweb server's address is a usage error, whose message does not show it."""
        if is_address(str(value)):
            words = "a DICOMweb server has no labelled cases, and those of a bucket are not read; name a folder."
            self.fail(words, param, ctx)
        return Path(str(super().convert(value, param, ctx)))


CASES = LabelledCases(exists=True, path_type=Path)
FOLDS = click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Number of folds to deal the patients to."
)
LABEL_VALUES = click.option(
    "--label-values",
    type=EXISTING_FILE,
    help="CSV table (value,label) that says what the label maps' values mean, if they are not 0 to 4 as here.",
)


def labelled_cases(cases: Path, label_values: Path | None) -> "list[Case]":
    """Read the cases that a command's CASES and --label-values name."""
    from scarnet_cli.cases.cases import read_cases
    from scarnet_cli.cases.label_values import read_label_values

    return read_cases(cases, read_label_values(label_values) if label_values else None)
