"""Where studies come from, and how they are found, read and named: arguments and options of several commands."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import rich_click as click

from scarnet_cli.buckets.place import Place, is_address, place_of
from scarnet_cli.cli.paths import EXISTING_FILE
from scarnet_cli.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
    from scarnet_cli.index.index_input import Index, IndexOptions


_SERVER: Final = "dicomweb+"


class StudySource(click.Path):
    """The source of studies: a folder, archive, file or samplesheet, here or in a bucket; or a DICOMweb server."""

    def __init__(self, *, exists: bool = True, servers: bool = True) -> None:
        """Return a place, or a server's address as text; with `exists`, a missing path is a usage error."""
        super().__init__(exists=exists, path_type=Path)
        self.name = "path or address"
        self._servers = servers

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the place, or the address unchecked: the code that opens it reports errors without showing it."""
        if not is_address(str(value)):
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
    type=EXISTING_FILE,
    help="CSV list of the studies wanted from a DICOMweb server: study_instance_uid or accession_number, optionally "
    "study, patient, site, group, visit.",
)


SERIES_RULES = click.option(
    "--series-rules",
    type=EXISTING_FILE,
    help="Your own rules for series selection (YAML), applied before the built-in ones (docs/dicom.md).",
)
PREVIOUS = click.option(
    "--previous",
    type=click.Path(dir_okay=False, path_type=Path),
    help="index.parquet of the last run: unchanged files are not read again. Ignored where it does not exist.",
)
HEADER_JOBS = click.option(
    "--jobs", type=click.IntRange(1), default=min(4, os.cpu_count() or 1), help="Processes that read headers."
)


_Command = TypeVar("_Command", bound=Callable[..., Any])


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
        type=EXISTING_FILE,
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
