"""Time `scarnet diff` on two made runs, in which nearly every number differs.

.venv/bin/python -m benchmarks.diff_load --studies 100000 --out DIR

It prints the duration and the peak memory of the command, and the size of what it writes.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.gather_load import FAILED_EVERY, write

_MOVED = 100  # one study in this many appears, another vanishes


def make_run(out: Path, studies: int, first: int, seed: int) -> None:
    """Write the tables of a run over `studies` studies, numbered from `first`."""
    draw = np.random.default_rng(seed)
    ids = [f"{number * 2654435761 % 2**64:016x}" for number in range(first, first + studies)]
    failed = ids[seed::FAILED_EVERY]
    write("scans", {"study_id": sorted(set(ids) - set(failed))}, out, draw)
    write("failures", {"study_id": failed}, out, draw)


def main() -> None:
    """Make the runs, compare them in a separate process, and print its cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True, help="Directory of the runs and the result.")
    parser.add_argument("options", nargs="*", help="Further options of scarnet diff, after --.")
    arguments = parser.parse_args()
    runs = [arguments.out / name for name in ("old", "new")]
    for seed, run in enumerate(runs):
        make_run(run, arguments.studies, seed * arguments.studies // _MOVED, seed)
    result = arguments.out / "diff"
    command = [sys.executable, "-m", "scarnet_cli", "diff", *map(str, runs), "--out", str(result), *arguments.options]
    started = time.monotonic()
    subprocess.run(command, check=True)
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(result.iterdir()))
    sys.stdout.write(
        f"{seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of CPU), {used.ru_maxrss / 1024:.0f} MiB; {sizes}\n"
    )


if __name__ == "__main__":
    main()
