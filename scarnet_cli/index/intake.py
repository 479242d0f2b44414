"""INDEX: from a folder or samplesheet to planned studies in batches, with a row for each that cannot be planned."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.containers import NIFTI
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, IMAGE
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.packing import NESTED, REFUSED
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.selection import chooser, select
from scarnet_cli.dicom.study_entry import Source, StudyEntry
from scarnet_cli.errors import InputError, MachineError
from scarnet_cli.index.defaults import FILE_SECONDS
from scarnet_cli.index.deidentify import Replaced, crosswalk, deidentified
from scarnet_cli.index.files.cache import NOTHING, PLAN, merged, read_cache, text_rows
from scarnet_cli.index.files.collect import Contents, ReadOptions, collect, part_paths
from scarnet_cli.index.files.recall import NOT_READ
from scarnet_cli.index.files.same_patient import settled
from scarnet_cli.index.files.standing import require_gone, standing
from scarnet_cli.index.files.sweep import IO_ERROR, PASSED_OVER, Unread, sweep
from scarnet_cli.index.grouping import Group, Kinds, by_row, by_study, kinds_of
from scarnet_cli.index.inputs import rows_of
from scarnet_cli.index.replan import Planner, extras, row_facts
from scarnet_cli.index.samplesheet import SampleRow
from scarnet_cli.index.study_plan import Choose, PlannedStudy, failed_study, files_digest
from scarnet_cli.index.unread import as_lost, lost_folders, unread_rows
from scarnet_cli.index.whose import Said
from scarnet_cli.tables.unread import UnreadRow

logger = logging.getLogger(__name__)

# Files between two movements of a progress bar.
_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Intake:
    """What an input holds.

    Attributes:
        root: Folder that the paths in the studies' entries lie below.
        studies: Every study seen, sorted by id.
        memory: What to remember for the next index: rows of `cache.HELD`.
        counts: Files by kind ("image", "object", "broken", "junk", "archive", or why they could not be read).
        unread: Rows of the table `unread`.
        server: Root of the DICOMweb server that the files must be fetched from first; None where they are here.
        crosswalk: What stands for what, where the studies are under pseudonyms.
    """

    root: Path
    studies: tuple[PlannedStudy, ...]
    memory: pa.Table
    counts: Counter[str]
    unread: tuple[UnreadRow, ...]
    server: str | None = None
    crosswalk: tuple[Replaced, ...] = ()

    @property
    def batch(self) -> Batch:
        """All studies that can be converted."""
        return Batch(self.root, [study.entry for study in self.studies if study.entry is not None])


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """How to take an input in.

    Attributes:
        jobs: Processes that read headers; 0 reads them in this one, which a file may then end or hang.
        leave_out: Folders that are not searched: the run's own output and work.
        parts: Folder where what was read is kept until the index is complete, so that a killed one goes on from there.
        choose: Makes the choice among a study's frames; by the built-in rules unless said otherwise.
        rules: Digest of what `choose` decides by beside the code; plans made by other rules are made anew.
        swept: Called with the number of files found since.
        begin: Called with the number of files to read.
        advance: Called with the number of files read since.
        pseudonyms: To de-identify all that is known of the studies; None to leave it as it is.
        file_s: Seconds that one file may take, beside those for its size.
        will_retry: Another attempt follows; see `ReadOptions`.
    """

    jobs: int = 0
    leave_out: tuple[Path, ...] = ()
    parts: Path | None = None
    choose: Choose = select
    rules: str = ""
    swept: Callable[[int], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    pseudonyms: Pseudonyms | None = None
    file_s: float = FILE_SECONDS
    will_retry: bool = False


def by_rules(rules: SeriesRules, options: IntakeOptions) -> IntakeOptions:
    """Return options that choose by these rules, and take no plan over that others made."""
    return replace(options, choose=chooser(rules), rules=rules.digest)


def take_in(source: Path, memory: pa.Table | None, options: IntakeOptions) -> Intake:
    """Index a folder, an archive, a DICOM or NIfTI file, or a samplesheet.

    Args:
        source: One of these.
        memory: What the last index of the same input remembered, if any.
        options: See `IntakeOptions`.

    Raises:
        InputError: The input is nothing of that, the samplesheet is wrong, or there is no DICOM at all.
        MachineError: The machine failed, or the input was away for a while.
    """
    return under_pseudonyms(_take_in(source, memory, options), options.pseudonyms)


def under_pseudonyms(intake: Intake, pseudonyms: Pseudonyms | None) -> Intake:
    """Return what an input holds with its studies de-identified; without pseudonyms as it is."""
    if pseudonyms is not None:
        studies = sorted((deidentified(study, pseudonyms) for study in intake.studies), key=lambda s: s.study_id)
        unread = [replace(row, place=pseudonyms.study(row.place)) for row in intake.unread]
        rows = tuple(crosswalk(study, pseudonyms) for study in intake.studies)
        intake = replace(intake, studies=tuple(studies), unread=tuple(unread), crosswalk=rows)
    for entry in filter(None, (study.entry for study in intake.studies)):  # only now: an id may have been a name
        rules = [rule.code for rule in entry.rules]
        logger.info("study %s: %d slices, rules %s", entry.study_id, len(entry.sources), rules)
    return intake


def _take_in(source: Path, memory: pa.Table | None, options: IntakeOptions) -> Intake:
    known = merged([read_cache(part_paths(options.parts)), memory or NOTHING])
    rows = rows_of(source)
    if rows is not None:
        return _take_in_rows(source.parent.absolute(), rows, known, options)
    root = (source if source.is_dir() else source.parent).absolute()
    unread: list[Unread] = []
    with standing([source.absolute()]):
        files = list(_swept(root, source.absolute(), unread, options))
        lost = as_lost(item for item in unread if not item.is_folder)
        folders = lost_folders(unread)
        contents, kinds = _contents(root, files, known, unread, options)
    _require_images(kinds.counts(), len(files), len(unread))
    said = Said(contents)
    groups, alone = by_study(said, contents, kinds, lost)
    planner = Planner(contents, kinds, known, options.choose, options.rules)
    studies = [*planner.plan(groups), *map(_lost_study, alone), *folders]
    return _intake(root, studies, contents, planner, said, unread)


def _require_images(counts: Counter[str], files: int, unread: int) -> None:
    """Require an input that was searched to hold an image, or something that may have been one.

    Raises:
        InputError: It does not.
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


def _swept(root: Path, start: Path, unread: list[Unread], options: IntakeOptions) -> Iterator[FoundFile]:
    """Yield the files below `start`, and tell how many there are from time to time."""
    own = [folder.absolute() for folder in (*options.leave_out, options.parts) if folder is not None]
    count = 0
    for file in sweep(root, start, unread.append, own):
        yield file
        count += 1
        if count % _STEP == 0:
            options.swept(_STEP)
    options.swept(count % _STEP)


def _contents(
    root: Path, files: Sequence[FoundFile], memory: pa.Table, unread: list[Unread], options: IntakeOptions
) -> tuple[Contents, Kinds]:
    """Read what is new, and note what could not be read.

    Raises:
        MachineError: The machine failed, or what had vanished is there again.
    """
    faults = [item for item in unread if item.reason == IO_ERROR]
    if faults and options.will_retry:
        message = f"{len(faults)} folders or files of the input cannot be looked at: the disk or file server reports "
        raise MachineError("input_fault", message + "an input/output error. Mend it and run again with -resume.")
    wanted = ReadOptions(
        options.jobs, options.parts, options.begin, options.advance, options.file_s, options.will_retry
    )
    contents = collect(root, files, memory, wanted)
    kinds = kinds_of(contents)
    told = {*NOT_READ, *PASSED_OVER, ARCHIVE} - {BROKEN}
    for place in np.flatnonzero(kinds.among(told)).tolist():
        file, kind = contents.files[place], kinds.kinds[kinds.kind[place]]
        if kind != ARCHIVE or file.member is not None:  # of archives those in archives are told
            reason = NESTED if kind == ARCHIVE else kind
            unread.append(Unread(file.path, is_folder=False, reason=reason, member=file.member))
    require_gone(root, unread)
    return contents, kinds


def _intake(
    root: Path,
    studies: Sequence[PlannedStudy],
    contents: Contents,
    planner: Planner,
    said: Said,
    unread: Sequence[Unread],
) -> Intake:
    rows = settled(contents.rows, said.scopes[contents.of_row])
    memory = pa.concat_tables([rows, text_rows(PLAN, planner.texts)])
    in_order = tuple(sorted(studies, key=lambda study: study.study_id))
    return Intake(root, in_order, memory, planner.kinds.counts(), tuple(unread_rows(unread)))


def _lost_study(group: Group) -> PlannedStudy:
    """Return a study that nothing is known of but that its files cannot be read."""
    message = (
        f"{len(group.lost)} files that lie together cannot be read, and none says which study it is of (cut short, "
        "damaged, gone, not allowed, or no DICOM in spite of the name); copy them again or leave them out."
    )
    digest = files_digest((path_key(file.path, file.member), file.size, file.mtime_ns) for file in group.lost)
    return failed_study(group.study_id, digest, "not_readable", message)


def _take_in_rows(root: Path, rows: Sequence[SampleRow], memory: pa.Table, options: IntakeOptions) -> Intake:
    """Index the studies of a samplesheet: each row's files are one study, whatever lies beside them."""
    files: set[FoundFile] = set()
    places: list[tuple[SampleRow, set[str], list[FoundFile]]] = []
    unread: list[Unread] = []
    with standing(row.dicom for row in rows):
        for row in rows:
            if row.is_nifti:
                continue
            missed: list[Unread] = []
            found = list(_swept(root, row.dicom.absolute(), missed, options))
            places.append((row, {file.path for file in found}, as_lost(missed)))
            files.update(found)
            unread += missed
        contents, kinds = _contents(root, sorted(files), memory, unread, options)
    planner = Planner(contents, kinds, memory, options.choose, options.rules)
    said = Said(contents)
    planned = planner.plan(by_row(said, contents, kinds, places))
    labels = {row.study: row.labels for row in rows}
    studies = [*planned, *(_nifti_study(row) for row in rows if row.is_nifti)]
    studies = [replace(study, labels=labels[study.study_id]) for study in studies]
    return _intake(root, studies, contents, planner, said, unread)


def _nifti_study(row: SampleRow) -> PlannedStudy:
    digest = files_digest([], row_facts(row))
    status = row.dicom.stat()
    entry = StudyEntry(
        row.study,
        digest,
        study_instance_uid=None,
        manufacturer=None,
        kind="nifti",
        sources=(Source(str(row.dicom), size=status.st_size, mtime_ns=status.st_mtime_ns),),
        chosen=(),
        component=None,
        rules=(),
        flags=(),
    )
    return PlannedStudy(row.study, digest, entry.with_extras(extras(row)), (), None)
