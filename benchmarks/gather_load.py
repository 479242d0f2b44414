"""Time `scarnet gather` on a made cohort.

.venv/bin/python -m benchmarks.gather_load --studies 100000 --batch 32 --out DIR

It prints the duration and the peak memory of the command. All columns hold random numbers.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from scarnet_cli.tables.parquet import write_arrow
from scarnet_cli.tables.schema import TABLES

ROWS: Final = {"scans": 1, "slices": 10, "segments": 17}  # of one study
SERIES: Final = 5
FAILED_EVERY: Final = 50  # one study in this many fails at CONVERT
TIME: Final = {"creation_time": "2026-01-01T00:00:00+00:00"}


def make_fragments(out: Path, studies: int, batch: int) -> list[Path]:
    """Write the fragments of INDEX and of every batch's stages, and return their directories.

    Args:
        out: Directory to write them to.
        studies: Studies in the cohort; one in `FAILED_EVERY` fails at CONVERT.
        batch: Studies in one batch.
    """
    ids = [f"{number * 2654435761 % 2**64:016x}" for number in range(studies)]
    ids.sort()
    draw = np.random.default_rng(studies)
    index = out / "index"
    write("studies", {"study_id": ids}, index, draw)
    write(
        "series", {"study_id": np.repeat(ids, SERIES), "chosen": np.arange(studies * SERIES) % SERIES == 0}, index, draw
    )
    write("failures", {"study_id": []}, index, draw)
    directories = [index]
    for number, first in enumerate(range(0, studies, batch)):
        mine = ids[first : first + batch]
        failed = [i for i in mine if int(i, 16) % FAILED_EVERY == 0]
        measured = [i for i in mine if i not in failed]
        for stage in ("convert", "crop", "segment", "quantify"):
            directories.append(out / f"{stage}_{number}")
            write("failures", {"study_id": failed if stage == "convert" else []}, directories[-1], draw)
        for table, rows in ROWS.items():
            columns = {"study_id": np.repeat(measured, rows)}
            if table != "scans":
                columns[TABLES[table].names[1]] = np.tile(np.arange(1, rows + 1), len(measured))
            write(table, columns, directories[-1], draw)
    return directories


def write(name: str, columns: dict, directory: Path, draw: np.random.Generator) -> None:  # type: ignore[type-arg]
    """Write one table with the given columns, and random numbers and short strings in all others."""
    rows = len(columns["study_id"])
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else drawn(field, rows, draw)
        for field in TABLES[name]
    ]
    write_arrow(name, pa.Table.from_arrays(arrays, schema=TABLES[name]), directory / f"{name}.parquet", TIME)


def drawn(field: pa.Field, rows: int, draw: np.random.Generator) -> pa.Array:
    """Return a column of random numbers, of one repeated string, or of one flag per row."""
    if pa.types.is_list(field.type):
        return pa.array([["no_scar"]] * rows, field.type)
    if pa.types.is_string(field.type):
        return pa.array([field.name] * rows, field.type)
    if pa.types.is_boolean(field.type):
        return pa.array(np.zeros(rows, bool))
    return pa.array(draw.uniform(1, 100, rows)).cast(field.type, safe=False)


def main() -> None:
    """Make the fragments if they are missing, gather them in a separate process, and print its cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--out", type=Path, required=True, help="Directory of the fragments and the tables.")
    parser.add_argument("options", nargs="*", help="Further options of scarnet gather, after --.")
    arguments = parser.parse_args()
    fragments = arguments.out / f"fragments-{arguments.studies}-{arguments.batch}"
    if not fragments.is_dir():
        make_fragments(fragments, arguments.studies, arguments.batch)
    directories = sorted(map(str, fragments.iterdir()))
    command = [sys.executable, "-m", "scarnet_cli", "gather", *directories, "--out", str(arguments.out / "tables")]
    started = time.monotonic()
    subprocess.run([*command, *arguments.options], check=True)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(f"{len(directories)} fragments: {seconds:.1f} s, peak memory {peak:.0f} MiB\n")


if __name__ == "__main__":
    main()
