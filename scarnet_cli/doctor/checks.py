"""Findings, and the commands that checks ask: one that fails or hangs is an answer too."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: its subject, its severity, a description, and advice (empty if none is needed)."""

    subject: str
    state: State
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's exit code, None if it was ended because it hung, and its stdout and stderr."""

    code: int | None
    text: str = ""

    @property
    def last_line(self) -> str:
        """The last line of the text, where commands say why they failed."""
        return (self.text.strip().splitlines() or [""])[-1].strip()


def ask(command: Sequence[str], patience_s: float) -> Answer:
    """Run a command, which is ended with all that it started after `patience_s` seconds."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Answer(127, error.strerror or "")
    try:
        text, _ = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Answer(None)
    return Answer(process.returncode, text)


Check = Callable[[], list[Finding]]


def run_checks(checks: Sequence[Check]) -> list[Finding]:
    """Run checks at the same time, as most wait for other processes, and return their findings in order."""
    with ThreadPoolExecutor(len(checks)) as pool:
        return [finding for findings in pool.map(lambda check: check(), checks) for finding in findings]
