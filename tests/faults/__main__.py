"""Inject faults and write the table of docs/reliability.md. What has an outcome already is not injected again.

    PYTHONPATH=tests:tools .venv/bin/python -m faults          # all without an outcome yet, then the page (make faults)
    PYTHONPATH=tests:tools .venv/bin/python -m faults NAME …   # these again; a name may hold *
    PYTHONPATH=tests:tools .venv/bin/python -m faults --fresh  # all again

Needs root and Linux: disks are mounted in namespaces of their own.
"""

import argparse
import fnmatch
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

from nextflow_launch import REPOSITORY

from faults.catalogue import FAULTS
from faults.fault import Outcome, read_outcome
from faults.lab import Lab, code_digest
from faults.page import write_page

LAB = Lab(Path(os.environ.get("FAULTS_FOLDER") or REPOSITORY / "build" / "faults"))
# The slowest faults wait twice for a time limit, and run again.
PATIENCE_S = 1200


def main() -> int:
    arguments = parsed()
    if arguments.inside:
        LAB.enter(arguments.inside, FAULTS)
        return 0
    names = list(dict.fromkeys(name for glob in arguments.names or ["*"] for name in fnmatch.filter(FAULTS, glob)))
    if not (arguments.names or arguments.fresh):
        names = [name for name in names if not LAB.result(name).exists()]
    if arguments.list:
        print("\n".join(names))  # noqa: T201 (a tool's output)
        return 0
    if not arguments.page:
        LAB.set_up()
        names = interleaved(names)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(inject, names))
    outcomes = {name: read_outcome(LAB.result(name)) for name in FAULTS if LAB.result(name).exists()}
    write_page(FAULTS, outcomes, code_digest())
    return 1 if any(outcome.wrong for outcome in outcomes.values()) else 0


def interleaved(names: list[str]) -> list[str]:
    """Return commands and runs by turns: a run waits for much, a command for nothing."""
    commands, runs = ([name for name in names if FAULTS[name].command is kind] for kind in (True, False))
    return [name for pair in zip_longest(commands, runs) for name in pair if name is not None]


def inject(name: str) -> None:
    try:
        LAB.inside(name, PATIENCE_S)
        outcome = read_outcome(LAB.result(name))
    except subprocess.TimeoutExpired:
        outcome = Outcome(name, [], None, "", "", [f"no end within {PATIENCE_S} s"], PATIENCE_S, code_digest())
        outcome.write(LAB.result(name))
    print(f"{name}: {'; '.join(outcome.wrong) or 'as promised'} ({outcome.seconds:.0f} s)", flush=True)  # noqa: T201


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="Faults to inject again; a name may hold *.")
    parser.add_argument("--fresh", action="store_true", help="Inject all again.")
    parser.add_argument("--jobs", type=int, default=2, help="How many side by side.")
    parser.add_argument("--page", action="store_true", help="Only write the page from the outcomes that there are.")
    parser.add_argument("--list", action="store_true", help="Only print the names.")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
