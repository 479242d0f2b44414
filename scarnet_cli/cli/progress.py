"""Progress for people: a bar on a terminal, plain lines in a log where asked for, nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
    """Yield a function that counts one step: a bar with its text on a terminal, in a log a line per text (stderr).

    `done` of the `total` steps were done before.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total, completed=done, now="")

        def advance(text: str) -> None:
            progress.update(task, advance=1, now=text)
            if text and not console.is_terminal:
                console.print(text, markup=False, highlight=False)

        yield advance
