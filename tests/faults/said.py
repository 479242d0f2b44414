"""What of a run's output a user has to look at."""

import re
from collections.abc import Mapping, Sequence

# What every run prints, and what says nothing about a fault.
_NOISE = re.compile(
    r"^\s*$|N E X T F L O W|^Launching |^\[\w\w/\w{6}\] (Submitted|Cached|Re-submitted) process"
    r"|^Tables: |^Report: |^ -- Check|ERROR: NWAD"
)
_TRACEBACK = re.compile(r"^Traceback|^\s+at [\w.$]+\(|^[\w.]+Exception\b|DataflowVariable", re.MULTILINE)
# How a failed run begins its last lines, where these say the reason themselves.
_LAST_WORDS = re.compile(r"^(The run stopped: |Interrupted|No study could be measured)")
_LONGEST = 400


def shown(output: str, says: str, names: Mapping[str, str]) -> list[str]:
    """Return at most two lines: a failed run's last words, else what `says` matches and one more, else the last two.

    Args:
        output: All that was printed.
        says: Pattern of a line; may be empty.
        names: Path -> word that stands for it.
    """
    lines = [line for line in plain(output, names).splitlines() if not _NOISE.search(line)]
    hit = next((number for number, line in enumerate(lines) if _LAST_WORDS.search(line)), None)
    if hit is None:
        hit = next((number for number, line in enumerate(lines) if says and re.search(says, line)), None)
    return [_short(line) for line in (lines[-2:] if hit is None else lines[hit : hit + 2])]


def plain(output: str, names: Mapping[str, str]) -> str:
    """Return output with words for paths; the longest path first."""
    for path in sorted(names, key=len, reverse=True):
        output = output.replace(path, names[path])
    return output


def complaints(output: str, says: str) -> Sequence[str]:
    """Say what is wrong with what a user sees."""
    told = ["a traceback is shown"] if _TRACEBACK.search(output) else []
    return told + ([f"nothing says /{says}/"] if says and not re.search(says, output, re.MULTILINE) else [])


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"
