"""Types of command-line arguments and options that several commands share."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import rich_click as click
from click.exceptions import Exit

from scarnet_cli.buckets.place import Place, place_of
from scarnet_cli.errors import AccessError, InputError, MachineError, ScarnetError
from scarnet_cli.files import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

    from scarnet_cli.cases.cases import Case
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
    from scarnet_cli.index.index_input import Index, IndexOptions
    from scarnet_cli.index.label_maps import Corrections


class OutputDirectory(click.Path):
    """A directory to write to, created if absent; one that is not writable is a usage error, before any work."""

    def __init__(self) -> None:
        """Accept anything but a file, and return a Path."""
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the directory, after checking that a file can be created in it."""
        path = Path(str(super().convert(value, param, ctx)))
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            self.fail(f"'{path}' cannot be written to: {error.strerror}.", param, ctx)
        return path


OUTPUT_DIRECTORY = OutputDirectory()


class WeightsName(click.Path):
    """A weights file: its path, or its name in the pipeline's folder or the user's (see `weights_dir`)."""

    def __init__(self) -> None:
        """Return a Path."""
        super().__init__(path_type=Path)
        self.name = "name or file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the file; a missing one is a usage error."""
        from scarnet_cli.errors import ModelError
        from scarnet_cli.model.store import find_weights

        try:
            return find_weights(str(value), own_weights())
        except ModelError as error:
            self.fail(str(error), param, ctx)


_SERVER: Final = "dicomweb+"


def _is_address(value: object) -> bool:
    """Tell whether an argument is a network address rather than a path."""
    return "://" in str(value)


class StudySource(click.Path):
    """The source of studies: a folder, archive, file or samplesheet, here or in a bucket; or a DICOMweb server."""

    def __init__(self, *, exists: bool = True, servers: bool = True) -> None:
        """Return a place, or a server's address as text; with `exists`, a missing path is a usage error."""
        super().__init__(exists=exists, path_type=Path)
        self.name = "path or address"
        self._servers = servers

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the place, or the address unchecked: the code that opens it reports errors without showing it."""
        if not _is_address(value):
            return Path(str(super().convert(value, param, ctx)))
        if self._servers and str(value).startswith(_SERVER):
            return str(value)
        place = place_of(str(value))
        if self.exists and not place.exists():
            self.fail(f"'{place}' does not exist.", param, ctx)
        return place


class OwnOutput(click.Path):
    """A folder, or a prefix in a bucket, that holds results and is not searched for studies."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the place."""
        return place_of(str(super().convert(value, param, ctx)))


SOURCE = StudySource()
FILES = StudySource(servers=False)
DOWNLOADS = click.option(
    "--downloads",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps what a DICOMweb server sent, so that nothing is fetched twice. It holds personal data.",
)
STUDIES = click.option(
    "--studies",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV list of the studies wanted from a DICOMweb server: study_instance_uid or accession_number, optionally "
    "study, patient, site, group, visit.",
)
WEIGHTS_NAME = WeightsName()
LOCALISER = click.option(
    "--localiser", type=WEIGHTS_NAME, default="localiser", show_default=True, help="Weights of the heart's localiser."
)
WEIGHTS = click.option(
    "--weights", type=WEIGHTS_NAME, default="scarnet", show_default=True, help="Weights of the network that labels it."
)
_WEIGHTS_DIR: Final = "scarnet_cli.weights_dir"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def weights_dir(command: _Command) -> _Command:
    """Add --weights-dir to a command whose other options name weights; `own_weights` returns its value."""

    def keep(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
        ctx.meta[_WEIGHTS_DIR] = value

    return click.option(
        "--weights-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        envvar="SCARNET_WEIGHTS",
        show_envvar=True,
        is_eager=True,  # parsed before the names that are looked up in it
        expose_value=False,
        callback=keep,
        help="Folder of your own weights, searched before the pipeline's.",
    )(command)


def own_weights() -> Path | None:
    """Return the folder that --weights-dir or SCARNET_WEIGHTS names for the running command."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_WEIGHTS_DIR) if context else None


def weights_name(path: Path) -> str:
    """Return how a user names a weights file: by its name where that leads to it, else by its path."""
    from scarnet_cli.model.store import known_weights

    return path.stem if known_weights(own_weights()).get(path.stem) == path else str(path)


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

SERIES_RULES = click.option(
    "--series-rules",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own rules for series selection (YAML), applied before the built-in ones (docs/dicom.md).",
)

TABLE_FORMAT = click.option(
    "--format",
    "table_format",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="csv: write each table as CSV too, beside the Parquet.",
)
PREVIOUS = click.option(
    "--previous",
    type=click.Path(dir_okay=False, path_type=Path),
    help="index.parquet of the last run: unchanged files are not read again. Ignored where it does not exist.",
)
HEADER_JOBS = click.option(
    "--jobs", type=click.IntRange(1), default=min(4, os.cpu_count() or 1), help="Processes that read headers."
)
CORRECTED = click.option(
    "--corrected",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of corrected label maps, measured in place of the network's: STUDY_ID.nii.gz, .nrrd, .seg.nrrd, or a "
    "DICOM Segmentation STUDY_ID.dcm; or a folder of these for each reader.",
)
READER = click.option(
    "--reader",
    metavar="NAME",
    help="Reader whose label maps are measured, a folder in that of --corrected [default: the first by name].",
)
REVIEWED = click.option(
    "--reviewed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A reader's decisions, as the report exports them (CSV: study_id,decision, accept or reject), for the column "
    "`reviewed` of scans.",
)


def corrections_in(corrected: Path | None, reader: str | None) -> "Corrections | None":
    """Return what --corrected and --reader name; --reader alone is a usage error."""
    from scarnet_cli.index.label_maps import Corrections

    if reader and not corrected:
        message = "there are no readers without --corrected."
        raise click.BadParameter(message, param_hint="--reader")
    return Corrections(corrected, reader) if corrected else None


_KEY: Final = "scarnet_cli.deidentify_key"


def deidentify_options(command: _Command) -> _Command:
    """Add --deidentify and --deidentify-key; the command receives the pseudonyms, or None, as `deidentify`."""

    def keep(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
        ctx.meta[_KEY] = value

    def read(ctx: click.Context, param: click.Parameter, value: bool) -> "Pseudonyms | None":
        from scarnet_cli.dicom.deidentification.pseudonyms import MAKE_A_KEY, read_pseudonyms

        if not value:
            return None
        if ctx.meta[_KEY] is None:
            message = (
                f"it needs a key, from which pseudonyms are derived; make one with {MAKE_A_KEY}, keep it for the "
                "next run, and name FILE by --deidentify-key or SCARNET_DEIDENTIFY_KEY."
            )
            raise click.BadParameter(message, ctx, param)
        return read_pseudonyms(ctx.meta[_KEY])

    key = click.option(
        "--deidentify-key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="SCARNET_DEIDENTIFY_KEY",
        show_envvar=True,
        is_eager=True,  # parsed before the flag that reads it
        expose_value=False,
        callback=keep,
        help="File that holds the secret key of --deidentify: the same key gives the same pseudonyms.",
    )
    flag = click.option(
        "--deidentify",
        is_flag=True,
        callback=read,
        help="Write pseudonyms, new UIDs and cleaned series names in place of the original ones (docs/dicom.md).",
    )
    return flag(key(command))


class LabelledCases(click.Path):
    """Labelled cases: a folder in EMIDEC's layout, or a CSV table."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the path; a DICOMweb server's address is a usage error, whose message does not show it."""
        if _is_address(value):
            words = "a DICOMweb server has no labelled cases, and those of a bucket are not read; name a folder."
            self.fail(words, param, ctx)
        return Path(str(super().convert(value, param, ctx)))


CASES = LabelledCases(exists=True, path_type=Path)
FOLDS = click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Number of folds to deal the patients to."
)
LABEL_VALUES = click.option(
    "--label-values",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV table (value,label) that says what the label maps' values mean, if they are not 0 to 4 as here.",
)


def labelled_cases(cases: Path, label_values: Path | None) -> "list[Case]":
    """Read the cases that a command's CASES and --label-values name."""
    from scarnet_cli.cases.cases import read_cases
    from scarnet_cli.cases.label_values import read_label_values

    return read_cases(cases, read_label_values(label_values) if label_values else None)


def index_source(
    source: Place | str,
    memory: "pa.Table | None",
    options: "IndexOptions",
    studies: Path | None = None,
    downloads: Path | None = None,
) -> "Index":
    """Return the index of SOURCE: of files, or of the server at an address.

    Raises:
        InputError: The input is wrong.
        PacsError: The server fails.
        MachineError: The machine failed.
    """
    from scarnet_cli.index.index_input import index_input

    if isinstance(source, str):
        from scarnet_cli.pacs.index_server import index_address

        return index_address(source, studies, downloads, memory, options)
    if studies:
        message = "A study list goes with a DICOMweb server's address; with a folder, leave --studies out."
        raise InputError("list_without_server", message)
    return index_input(source, memory, options)
