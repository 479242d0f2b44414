"""INDEX: plan the studies of a folder or samplesheet; a study that cannot be planned becomes a failure.

inputs -> sweep -> recall or read -> group -> plan. `pacs.index_server` does the same for a server.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.containers import NIFTI
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import BROKEN, IMAGE
from scarnet_cli.dicom.packing import REFUSED
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.selection import chooser
from scarnet_cli.errors import InputError, MachineError
from scarnet_cli.index.deidentify import deidentify_index
from scarnet_cli.index.files.cache import NOTHING, merged, read_cache
from scarnet_cli.index.files.contents import Contents
from scarnet_cli.index.files.read_contents import ReadOptions, part_paths, read_contents
from scarnet_cli.index.files.same_patient import settled
from scarnet_cli.index.files.standing import require_gone, standing
from scarnet_cli.index.files.sweep import IO_ERROR, UnreadItem, lost_files
from scarnet_cli.index.grouping import StudyGroup, group_by_row, group_by_study
from scarnet_cli.index.inputs import Input, SweptPart, read_input, sweep_input
from scarnet_cli.index.planning import Choice, flag_counted_twice, plan_groups, plan_nifti
from scarnet_cli.index.records import Index
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.index.unread import lost_folders, lost_study, unread_contents, unread_rows


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How to index an input.

    Attributes:
        read: How to read files.
        leave_out: Folders that are not searched: the run's own output and work directories.
        choice: How the stack of a study is chosen.
        pseudonyms: Pseudonyms to de-identify the studies with; None to leave them as they are.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    leave_out: tuple[Place, ...] = ()
    choice: Choice = field(default_factory=Choice)
    pseudonyms: Pseudonyms | None = None


def choice_by(rules: SeriesRules) -> Choice:
    """Return the choice by `rules`; plans made by other rules are not reused."""
    return Choice(chooser(rules), rules.digest)


def index_input(source: Place, memory: pa.Table | None, options: IndexOptions) -> Index:
    """Index a folder, an archive, a DICOM or NIfTI file, or a samplesheet, on this machine or in a bucket.

    Raises:
        InputError: The input is none of these, the samplesheet is wrong, or there is no DICOM at all.
        MachineError: The machine failed, or the input was temporarily unavailable.
    """
    known = with_parts(memory, options)
    found = survey(read_input(source), known, options)
    planned = plan_groups(found.contents, found.groups, known, options.choice)
    studies = flag_counted_twice(sorted([*planned.studies, *found.unplanned], key=lambda study: study.study_id))
    rows = found.contents.rows
    remembered = pa.concat_tables([settled(rows, found.contents.scopes[found.contents.of_row]), planned.memory])
    unread = unread_rows(found.unread)
    index = Index(found.root, tuple(studies), remembered, found.contents.counts(), unread)
    return deidentify_index(index, options.pseudonyms)


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in an input, grouped into studies.

    Attributes:
        root: Folder, or prefix in a bucket, to which the paths of its files are relative.
        contents: What its files hold.
        groups: Its studies of DICOM files.
        unplanned: Its studies that need no choice of series: NIfTI files and failures.
        unread: Folders and files that cannot be read.
    """

    root: Place
    contents: Contents
    groups: list[StudyGroup]
    unplanned: list[PlannedStudy]
    unread: list[UnreadItem]


def survey(given: Input, known: pa.Table, options: IndexOptions) -> Survey:
    """Read what is in an input, and group it into studies; see `index_input` for the errors."""
    with standing(given.paths):
        parts = sweep_input(given, (*options.leave_out, options.read.parts), options.read.progress)
        unread = [item for part in parts for item in part.unread]
        _require_no_fault(unread, options)
        contents = read_contents(given.root, _files(given, parts), known, options.read)
        unread += unread_contents(contents)
        require_gone(given.root, unread)
    groups, unplanned = _groups(given, parts, contents, unread)
    return Survey(given.root, contents, groups, unplanned, unread)


def with_parts(memory: pa.Table | None, options: IndexOptions) -> pa.Table:
    """Return the memory together with the parts that a killed index left."""
    return merged([read_cache(part_paths(options.read.parts)), memory or NOTHING])


def _require_no_fault(unread: Iterable[UnreadItem], options: IndexOptions) -> None:
    """Require that no input/output error occurred, if another attempt follows.

    Raises:
        MachineError: One occurred.
    """
    faults = sum(item.reason == IO_ERROR for item in unread)
    if faults and options.read.will_retry:
        message = f"{faults} folders or files of the input cannot be looked at: the disk or file server reports "
        raise MachineError("input_fault", message + "an input/output error. Fix it and run again with -resume.")


def _files(given: Input, parts: list[SweptPart]) -> list[FoundFile]:
    """Return all files of an input, each once: several rows of a samplesheet may name the same file."""
    if given.rows is None:
        return parts[0].files
    lists = {id(part.files): part.files for part in parts}
    return sorted({file for files in lists.values() for file in files})


def _groups(
    given: Input, parts: list[SweptPart], contents: Contents, unread: list[UnreadItem]
) -> tuple[list[StudyGroup], list[PlannedStudy]]:
    """Return the files of each study, and the studies that need no choice of series: NIfTI files and failures.

    Raises:
        InputError: The input was searched and holds no image.
    """
    if given.rows is not None:
        return group_by_row(contents, parts), [plan_nifti(row) for row in given.rows if row.is_nifti]
    (part,) = parts
    _require_images(contents.counts(), len(part.files), len(unread))
    lost = lost_files(item for item in part.unread if not item.is_folder)
    groups, strays = group_by_study(contents, lost)
    return groups, [*map(lost_study, strays), *lost_folders(part.unread)]


def _require_images(counts: Counter[str], files: int, unread: int) -> None:
    """Require that a searched input holds an image, or a file that may have been one.

    Raises:
        InputError: It holds neither.
    """
    if counts.keys() & {IMAGE, BROKEN, *REFUSED}:
        return
    if counts[NIFTI]:
        message = (
            f"The input holds no DICOM image but {counts[NIFTI]} NIfTI files. NIfTI needs a samplesheet, since nothing "
            "in the files says which are images and which label maps: a CSV with the first line study,dicom and a line "
            "for each image."
        )
        raise InputError("no_dicom", message)
    missed = f" ({unread} folders, links or files could not be read)" if unread else ""
    message = (
        f"The input holds no DICOM image: {files} files, none of them is one{missed}. Name the folder that the studies "
        "lie below, or a samplesheet."
    )
    raise InputError("no_dicom", message)
