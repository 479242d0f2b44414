"""Options and arguments that the commands of the stages share."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.source_options import FILES
from scarnet_cli.cli.weights_options import WEIGHTS_NAME
from scarnet_cli.stage.execution import IN_PROCESS, Execution

if TYPE_CHECKING:
    from scarnet_cli.tables.failures import Failure

_Command = TypeVar("_Command", bound=Callable[..., Any])

OUT = click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Output directory.")
BATCH_OR_DICOM = click.argument("source", metavar="BATCH_OR_DICOM", type=FILES)
NETWORK = click.option(
    "--weights", type=WEIGHTS_NAME, required=True, help="Weights: a file, or a name from `scarnet weights list`."
)


def execution_options(command: _Command) -> _Command:
    """Add the options of `Execution`; the command receives them, with a progress bar, as `execution`."""

    @wraps(command)
    def with_execution(
        *args: Any,  # noqa: ANN401
        isolate: bool,
        jobs: int,
        will_retry: bool,
        study_minutes: float,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        return command(*args, execution=Execution(isolate, jobs, will_retry, study_minutes, progress_bar), **kwargs)

    options = (
        click.option(
            "--isolate",
            is_flag=True,
            help="Run studies in a separate process, so that a crash or hang fails only one.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1),
            default=IN_PROCESS.jobs,
            show_default=True,
            help="Separate processes, each with one study at a time.",
        ),
        click.option(
            "--will-retry",
            is_flag=True,
            help="When memory runs out, end with exit code 137, to be retried with more, instead of failing the study.",
        ),
        click.option(
            "--study-minutes",
            type=click.FloatRange(min=0, min_open=True),
            default=IN_PROCESS.study_minutes,
            show_default=True,
            envvar="SCARNET_STUDY_MINUTES",
            show_envvar=True,
            help="With --isolate: time limit for one study, in minutes.",
        ),
    )
    for option in reversed(options):
        with_execution = option(with_execution)
    return with_execution  # type: ignore[return-value]


def tell_count(failures: "Sequence[Failure]") -> None:
    """Print how many studies failed, if any did."""
    if failures:
        from scarnet_cli.draw.text import count_text

        click.echo(f"{count_text(len(failures), 'study', 'studies')} failed; see failures.parquet.", err=True)


def tell_each(failures: "Sequence[Failure]") -> None:
    """Print the reason of each failure."""
    for failure in failures:
        click.echo(f"{failure.study_id} ({failure.code}): {failure.message}", err=True)
