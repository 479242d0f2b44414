"""How work reports its progress; the caller decides how to show it (cli/progress.py shows it on a terminal)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Advance(Protocol):
    """A callable that counts finished steps of one task."""

    def __call__(self, steps: int = 1, text: str = "") -> None:
        """Count `steps` more as done; `text` describes where the task is, until another does."""
        ...


class Progress(Protocol):
    """A callable that follows one task from beginning to end."""

    def __call__(self, title: str, total: int | None = None, done: int = 0) -> AbstractContextManager[Advance]:
        """Begin a task of `total` steps (None: unknown), of which `done` were done before."""
        ...


@contextmanager
def no_progress(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
    """Show nothing."""
    del title, total, done
    yield advance_nothing


def advance_nothing(steps: int = 1, text: str = "") -> None:
    """Count nothing."""
    del steps, text
