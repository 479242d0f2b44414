"""How work tells its progress; whoever starts the work decides how it is shown (on a terminal: cli/progress.py)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Advance(Protocol):
    """Counts steps of one task as done."""

    def __call__(self, steps: int = 1, text: str = "") -> None:
        """Count `steps` more; `text` says what was done."""
        ...


class Progress(Protocol):
    """Follows one task from its beginning to its end."""

    def __call__(self, title: str, total: int | None = None, done: int = 0) -> AbstractContextManager[Advance]:
        """Begin a task of `total` steps (None: nobody knows yet), of which `done` were done before."""
        ...


@contextmanager
def no_progress(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
    """Show nothing."""
    del title, total, done
    yield _advance_nothing


def _advance_nothing(steps: int = 1, text: str = "") -> None:
    del steps, text
