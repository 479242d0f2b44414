"""Progress for users: a bar on a terminal, and in a log only the lines of text that a task reports."""

from collections.abc import Iterator
from contextlib import contextmanager

from scarnet_cli.progress import Advance


@contextmanager
def progress_bar(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
    """Show a task (`progress.Progress`) on stderr: a bar with its text on a terminal, or one line per text in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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

        def advance(steps: int = 1, text: str = "") -> None:
            progress.update(task, advance=steps)
            if text:
                progress.update(task, now=text)
            if text and not console.is_terminal:
                console.print(text, markup=False, highlight=False)

        yield advance
