"""Nextflow's trace of a run: what each task took."""

import csv
import re
from pathlib import Path
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_trace(results: Path) -> list[dict[str, str]]:
    """Return the rows of the trace of a run into `results`, each with its `process` beside the task's `name`."""
    with (results / "pipeline_info" / "trace.txt").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row | {"process": row["name"].split(" ")[0].split(":")[-1]} for row in rows]


def seconds(words: str) -> float:
    """Return the seconds that Nextflow writes as "1m 3.2s"."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)\s*(ms|s|m|h)\b", words))
