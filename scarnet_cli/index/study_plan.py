"""Plan one study: make its entry for a batch, or give the reason why there is none.

Nothing here reads files, so that studies on disk and on a server are planned alike.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.series.selection import Selection, SeriesVerdict, select
from scarnet_cli.dicom.stacks import SliceStack
from scarnet_cli.dicom.study_entry import Extras, Source, StudyEntry
from scarnet_cli.errors import DicomError
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.studies import NO_LABELS, StudyLabels

logger = logging.getLogger(__name__)

STAGE: Final = "index"
Choose = Callable[[Sequence[Frame]], Selection]


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A study of the input with its entry or its failure.

    Attributes:
        study_id: The study's id.
        digest: Changes with its files and with values in its samplesheet row that affect measurements; not with labels.
        entry: Its entry in a batch file; None if it failed.
        series: Its series.
        failure: Why it cannot be converted; None if it can.
        study_instance_uid: Its StudyInstanceUID; None if unknown, or if the study is NIfTI.
        texts: All free text in its headers, which messages in `series`, `entry` and `failure` may quote.
        labels: Its labels in the samplesheet or study list.
        user_cells: Its cells in the user's own columns of either. They do not count for `digest`.
        label_maps: Label maps from elsewhere; the first is measured in place of the network's. Not in `digest`.
    """

    study_id: str
    digest: str
    entry: StudyEntry | None
    series: tuple[SeriesVerdict, ...]
    failure: Failure | None
    study_instance_uid: str | None = None
    texts: frozenset[str] = frozenset()
    labels: StudyLabels = NO_LABELS
    user_cells: Mapping[str, str] = field(default_factory=dict)
    label_maps: tuple[LabelMapFile, ...] = ()


@dataclass(slots=True)
class StudyFiles:
    """The files of one study.

    Attributes:
        files: All its files, including those without an image and those that cannot be read.
        frames: The frames of its images.
        broken: Number of its files that cannot be read.
        notes: How its files were told from those of other studies, if not by StudyInstanceUID.
    """

    files: list[FoundFile] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    broken: int = 0
    notes: tuple[Note, ...] = ()


def plan_study(
    study_id: str,
    uid: str | None,
    study: StudyFiles,
    digest: str,
    extras: Extras | None = None,
    choose: Choose = select,
) -> PlannedStudy:
    """Choose the stack of one study; return the study with its entry, or with a failure if no stack is chosen."""
    selection = choose(study.frames)
    stack = selection.stack
    if stack is None:
        error = selection.error or DicomError("no_lge_stack", "No stack was chosen.")
        words = f" {_broken_words(study.broken, len(study.files))}" if study.broken else ""
        failure = Failure(study_id, STAGE, "not_readable" if not study.frames else error.code, f"{error}{words}")
        return PlannedStudy(study_id, digest, None, selection.series, failure, uid, _texts(study.frames))
    entry = _entry(study_id, digest, uid, stack, study).with_extras(extras or Extras())
    logger.info("planned the study of digest %s", digest)  # its id may be a name, which must not be logged
    return PlannedStudy(study_id, digest, entry, selection.series, None, uid, _texts(study.frames))


def failed_study(study_id: str, digest: str, code: str, message: str) -> PlannedStudy:
    """Return a study without entry and series, with a failure of this code and message."""
    return PlannedStudy(study_id, digest, None, (), Failure(study_id, STAGE, code, message))


def files_digest(files: Iterable[tuple[str, int, int]], facts: Iterable[object] = ()) -> str:
    """Return a digest (32 hex digits) of every file's key, size and time, and of `facts` (any JSON values)."""
    return hashlib.sha256(json.dumps([*sorted(files), *facts]).encode()).hexdigest()[:32]


def _texts(frames: Iterable[Frame]) -> frozenset[str]:
    facts = (frame.facts for frame in frames)
    texts = ((f.description, f.protocol, f.modality, f.manufacturer, f.image_type, f.sequence) for f in facts)
    return frozenset(text for several in texts for text in several if text)


def _broken_words(broken: int, total: int) -> str:
    return f"{broken} of its {total} files cannot be read (cut short, damaged, gone or not allowed); copy them again."


def source_of(file: FoundFile, frame: int | None) -> Source:
    """Return the source of a slice, given its file and frame."""
    return Source(file.path, file.member, frame, file.size, file.mtime_ns)


def _entry(study_id: str, digest: str, uid: str | None, stack: SliceStack, study: StudyFiles) -> StudyEntry:
    notes = [*study.notes, *stack.notes]
    if study.broken:
        notes.append(Note("unreadable_files", _broken_words(study.broken, len(study.files)), flag=True))
    return StudyEntry(
        study_id,
        digest,
        uid,
        manufacturer=stack.frames[0].facts.manufacturer,
        kind="dicom",
        sources=tuple(source_of(f.file, f.facts.frame) for f in stack.frames),
        chosen=stack.series_uids,
        component=stack.component,
        rules=tuple(note.rule for note in notes),
        flags=tuple(sorted({note.code for note in notes if note.flag})),
    )
