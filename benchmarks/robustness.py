"""Print what disturbances cost several models, in Markdown.

.venv/bin/python -m benchmarks.robustness ROBUST/scarnet ROBUST/unet ...

Each folder is that of a `scarnet evaluate --robustness --name MODEL` on the same cases.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from scarnet_cli.benchmark.robustness import UNDISTURBED
from scarnet_cli.benchmark.robustness_page import Level, levels, lost_percent, titles_of
from scarnet_cli.tables.benchmark import RobustnessRow
from scarnet_cli.tables.parquet import read_rows


def cell(before: float | None, after: float | None) -> str:
    """Return a Dice of disturbed images and, in percent, how much of that of the images as they are is lost."""
    return "-" if before is None or after is None else f"{after:.3f} ({lost_percent(before, after):.1f})"


def row(key: tuple[str, float], models: Sequence[Mapping[tuple[str, float], Level]]) -> str:
    """Return a severity's row: Dice of the myocardium, and of the scar in hearts that have it, of each model."""
    pairs = [(model[UNDISTURBED, 0.0], model[key]) for model in models]
    both = [
        [cell(before.myocardium, after.myocardium), cell(before.scar_of_infarcts, after.scar_of_infarcts)]
        for before, after in pairs
    ]
    return f"| {' | '.join([*titles_of(*key), *chain.from_iterable(both)])} |"


def main() -> None:
    """Read the tables and print one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="Folders with robustness.parquet.")
    tables = [read_rows(RobustnessRow, folder / "robustness.parquet") for folder in parser.parse_args().folders]
    headings = [f"{rows[0].model}: {part}" for rows in tables for part in ("myocardium", "scar where there is any")]
    models = [levels(rows) for rows in tables]
    lines = [f"| {' | '.join(['disturbance', 'severity', *headings])} |", "|---" * (2 + len(headings)) + "|"]
    sys.stdout.write("\n".join([*lines, *(row(key, models) for key in models[0])]) + "\n")


if __name__ == "__main__":
    main()
