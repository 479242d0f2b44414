"""The table in docs/dicom.md of how this project and other converters handle each case of tests/dicom_cases.

Each conversion runs in a separate process with a time limit; its result is compared with the case's truth.
"""

import importlib
import multiprocessing
import os
import tempfile
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Final

from dicom_cases import CASES, ROWS, Case, Truth
from dicom_cases.converters import CONVERTERS
from dicom_cases.judge import judge, read_given
from rich.progress import track

from scarnet_cli import __version__

LIMIT_S: Final = 60.0


# Imported once, because every conversion is a fork of this process, which starts no thread before.
importlib.import_module("dicom2nifti")


def attempt(converter: str, source: Path, out: Path, said: Path) -> None:
    """Convert in this process and write a refusal's text to `said`; other output is discarded."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    refusal = CONVERTERS[converter](source, out)
    said.write_text(refusal or "")


def outcome(converter: str, source: Path, folder: Path, truth: Truth) -> str:
    """Return a description of a converter's result for a case."""
    out, said = folder / converter, folder / f"{converter}.txt"
    process = multiprocessing.get_context("fork").Process(target=attempt, args=(converter, source, out, said))
    process.start()
    process.join(LIMIT_S)
    if process.is_alive():
        process.kill()
        process.join()
        return f"no end in {LIMIT_S:.0f} s"
    if process.exitcode != 0:
        return "crash"
    if refusal := said.read_text():
        return f"{'refused' if truth.refusal else 'REFUSED'}: {refusal}"
    return judge(read_given(out, truth.stack.direction), truth)


def row_of(case: Case) -> str:
    """Return a case's row: its name and each converter's outcome."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        truth = case.write(folder / "in")
        outcomes = [outcome(name, folder / "in", folder, truth) for name in CONVERTERS]
    return f"| {' | '.join([case.name, expected(truth), *outcomes])} |"


def expected(truth: Truth) -> str:
    """Return a description of the correct result: the volume with the codes to record, or the refusal."""
    if truth.refusal:
        return "refusal"
    codes = ", ".join((*truth.rules, *truth.flags))
    return f"volume; {codes}" if codes else "volume"


def parts() -> dict[str, str]:
    """Return the table in Markdown."""
    versions = {name: version(name.lower()) for name in CONVERTERS if name != "scarnet"}
    heads = [f"scarnet {__version__}", *(f"{name} {number}" for name, number in versions.items())]
    lines = [f"| case | right is | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    cases = sorted(CASES.values(), key=lambda case: ROWS.index(case.row))
    done = {case.name: row_of(case) for case in track(cases, "cases", auto_refresh=False)}
    for row, group in groupby(cases, key=lambda case: case.row):
        lines += [f"| **{row}** |{' |' * (1 + len(heads))}", *(done[case.name] for case in group)]
    return {"cases": "\n".join(lines) + "\n"}
