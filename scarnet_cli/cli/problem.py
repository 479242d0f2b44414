"""The option by which a task hands a message about wrong input to the workflow that shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from scarnet_cli.errors import AccessError, MachineError, ScarnetError
from scarnet_cli.files import write_bytes

_PROBLEM: Final = "scarnet_cli.problem"


class ProblemCommand(click.RichCommand):
    """A command with the option PROBLEM, whose file receives the message of an error that the user can fix."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options."""
        with _problem_written(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own)
        """Run the command."""
        with _problem_written(ctx):
            return super().invoke(ctx)


@contextmanager
def _problem_written(ctx: click.Context) -> Iterator[None]:
    """If --problem is given, write an error to it and exit with code 0; faults of the machine are raised."""
    try:
        yield
    except (click.UsageError, ScarnetError) as error:
        if isinstance(error, MachineError) and not isinstance(error, AccessError):
            raise
        if (path := ctx.meta.get(_PROBLEM)) is None:
            raise
        message = error.format_message() if isinstance(error, click.UsageError) else str(error)
        write_bytes(path, f"{message}\n".encode())
        raise Exit(0) from None


PROBLEM = click.option(
    "--problem",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,  # parsed before the options that may be wrong
    expose_value=False,
    callback=lambda ctx, _param, value: ctx.meta.update({_PROBLEM: value}),
    help="Write the message about wrong options, wrong input or missing software to this file and exit with code 0, "
    "for a workflow that shows it itself.",
)
