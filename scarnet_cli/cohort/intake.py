"""INDEX: from a folder or samplesheet to planned studies in batches, with a row for each that cannot be planned."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from scarnet_cli.cohort.deidentify import Replaced, crosswalk, deidentified
from scarnet_cli.cohort.samplesheet import SampleRow, read_samplesheet
from scarnet_cli.cohort.study_plan import PlannedStudy, StudyFiles, failed_study, files_digest, plan_study
from scarnet_cli.dicom.archives import is_archive
from scarnet_cli.dicom.cache import Remembered
from scarnet_cli.dicom.collect import Known, collect
from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.headers import BROKEN, IMAGE, JUNK
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.dicom.pseudonyms import Pseudonyms
from scarnet_cli.dicom.sweep import sweep
from scarnet_cli.errors import InputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """What an input holds.

    Attributes:
        root: Folder that the paths in the studies' entries lie below.
        studies: Every study seen, sorted by id.
        memory: What to remember for the next index.
        counts: Files by kind ("image", "object", "broken", "junk", "archive").
        crosswalk: What stands for what, where the studies are under pseudonyms.
        server: Root of the DICOMweb server that the files must be fetched from first; None where they are here.
    """

    root: Path
    studies: tuple[PlannedStudy, ...]
    memory: dict[str, Remembered]
    counts: Counter[str]
    crosswalk: tuple[Replaced, ...] = ()
    server: str | None = None


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """How to take an input in.

    Attributes:
        jobs: Worker processes for reading headers.
        leave_out: A folder that is not searched: the index's own output.
        begin: Called with the number of files before they are read.
        advance: Called with the number of files done.
        pseudonyms: To de-identify all that is known of the studies; None to leave it as it is.
    """

    jobs: int = 1
    leave_out: Path | None = None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    pseudonyms: Pseudonyms | None = None


def take_in(source: Path, memory: Mapping[str, Remembered], options: IntakeOptions) -> Intake:
    """Index a folder, an archive or a samplesheet.

    Args:
        source: Folder, archive, or samplesheet (.csv).
        memory: What the last index of the same input remembered.
        options: See `IntakeOptions`.

    Raises:
        InputError: The samplesheet is wrong, or there is no DICOM at all.
    """
    return under_pseudonyms(_take_in(source, memory, options), options.pseudonyms)


def under_pseudonyms(intake: Intake, pseudonyms: Pseudonyms | None) -> Intake:
    """Return what an input holds with its studies de-identified; without pseudonyms as it is."""
    if pseudonyms is not None:
        studies = sorted((deidentified(study, pseudonyms) for study in intake.studies), key=lambda s: s.study_id)
        rows = tuple(crosswalk(study, pseudonyms) for study in intake.studies)
        intake = replace(intake, studies=tuple(studies), crosswalk=rows)
    for entry in filter(None, (study.entry for study in intake.studies)):  # only now: an id may have been a name
        logger.info("study %s: %d slices, rules %s", entry["study_id"], len(entry["sources"]), entry["rules"])
    return intake


def _take_in(source: Path, memory: Mapping[str, Remembered], options: IntakeOptions) -> Intake:
    if source.is_file() and not is_archive(source):
        return _take_in_rows(source.parent.absolute(), read_samplesheet(source), memory, options)
    root = (source if source.is_dir() else source.parent).absolute()
    files = list(_inside(sweep(root, source.absolute()), root, options.leave_out))
    known, fresh = _collect(root, files, memory, options)
    counts = Counter(header.kind for _, header in known)
    if not counts[IMAGE] and not counts[BROKEN]:
        message = (
            f"The input holds no DICOM image: {len(files)} files, none of them is one. Name the folder that the "
            "studies lie below, or a samplesheet."
        )
        raise InputError("no_dicom", message)
    gathered, lost = _by_study(known)
    studies = [
        plan_study(study_id_from_uid(uid), uid, study, files_digest(study.files)) for uid, study in gathered.items()
    ]
    studies += [_lost_study(key, files) for key, files in lost.items()]
    return Intake(root, tuple(sorted(studies, key=lambda s: s.study_id)), fresh, counts)


def _inside(files: Iterable[FoundFile], root: Path, leave_out: Path | None) -> Iterable[FoundFile]:
    """Leave out the index's own output where it lies inside of its input."""
    own = leave_out.absolute() if leave_out else None
    if own is None or not own.is_relative_to(root) or own == root:
        return files
    prefix = own.relative_to(root).as_posix() + "/"
    return (file for file in files if not file.path.startswith(prefix))


def _collect(
    root: Path, files: Sequence[FoundFile], memory: Mapping[str, Remembered], options: IntakeOptions
) -> tuple[list[Known], dict[str, Remembered]]:
    options.begin(len(files))
    return collect(root, files, memory, jobs=options.jobs, advance=options.advance)


def _by_study(known: Sequence[Known]) -> tuple[dict[str, StudyFiles], dict[str, list[FoundFile]]]:
    """Gather files by StudyInstanceUID; broken ones that name none go to the studies in their folder.

    Returns:
        The studies by UID; and, by the key of their folder (of the file itself at the root), the broken files that lie
        with no study.
    """
    gathered: dict[str, StudyFiles] = defaultdict(StudyFiles)
    folders: dict[str, set[str]] = defaultdict(set)
    strays: list[FoundFile] = []
    for file, header in known:
        if header.study_uid is None:
            if header.kind == BROKEN:
                strays.append(file)
            continue
        _add(gathered[header.study_uid], file, header)
        folders[_folder(file)].add(header.study_uid)
    lost: dict[str, list[FoundFile]] = defaultdict(list)
    for file in strays:
        folder = _folder(file)
        for uid in folders.get(folder, ()):
            gathered[uid].broken += 1
            gathered[uid].files.append(file)
        if folder not in folders:
            lost[path_key(file.path if folder == "." else folder)[:16]].append(file)
    return gathered, lost


def _folder(file: FoundFile) -> str:
    """Return the folder that a file lies in; for a member the archive itself."""
    return file.path if file.member is not None else str(PurePosixPath(file.path).parent)


def _add(study: StudyFiles, file: FoundFile, header: Any) -> None:  # noqa: ANN401 (Header; named so by `Known`)
    study.files.append(file)
    study.broken += header.kind == BROKEN
    study.frames.extend(Frame(file, facts) for facts in header.frames)


def _extras(row: SampleRow) -> dict[str, Any]:
    return {
        "rv_insertion": list(row.rv_insertion) if row.rv_insertion else None,
        "reference": str(row.reference) if row.reference else None,
    }


def _row_digest(files: Iterable[FoundFile], row: SampleRow) -> str:
    """Return a digest of a row's files and of what it says of the study."""
    facts: list[Any] = [_extras(row)]
    for path in filter(None, (row.reference, row.dicom if row.is_nifti else None)):
        status = path.stat()
        facts.append((status.st_size, status.st_mtime_ns))
    return files_digest(files, facts)


def _lost_study(study_id: str, files: Sequence[FoundFile]) -> PlannedStudy:
    """Return a study that nothing is known of but that its files cannot be read."""
    message = (
        f"{len(files)} DICOM files that lie together cannot be read, and none says which study it is of (cut short, "
        "damaged or no DICOM in spite of the name); copy them again or leave them out."
    )
    return failed_study(study_id, files_digest(files), "not_readable", message)


def _take_in_rows(
    root: Path, rows: Sequence[SampleRow], memory: Mapping[str, Remembered], options: IntakeOptions
) -> Intake:
    """Index the studies of a samplesheet: each row's files are one study, whatever lies beside them."""
    swept = {row.study: [] if row.is_nifti else list(sweep(root, row.dicom.absolute())) for row in rows}
    files = sorted({file for found in swept.values() for file in found})
    known, fresh = _collect(root, files, memory, options)
    by_path: dict[str, list[Known]] = defaultdict(list)
    for item in known:
        by_path[item[0].path].append(item)
    studies = []
    for row in rows:
        own = [item for file in swept[row.study] for item in by_path[file.path]]
        study = _nifti_study(row) if row.is_nifti else _row_study(row, own)
        studies.append(replace(study, labels=row.labels))
    counts = Counter(header.kind for _, header in known)
    return Intake(root, tuple(sorted(studies, key=lambda s: s.study_id)), fresh, counts)


def _row_study(row: SampleRow, known: Sequence[Known]) -> PlannedStudy:
    study = StudyFiles()
    for file, header in known:
        if header.kind != JUNK:
            _add(study, file, header)
    digest = _row_digest(study.files, row)
    uids = sorted({frame.facts.study_uid for frame in study.frames})
    if len(uids) > 1:
        message = (
            f"The samplesheet's folder or archive of this study holds {len(uids)} studies (StudyInstanceUIDs); give "
            "each its own row."
        )
        return failed_study(row.study, digest, "several_studies", message)
    if not study.frames and not study.broken:
        message = "The samplesheet's folder or archive of this study holds no DICOM image; check its path."
        return failed_study(row.study, digest, "no_dicom", message)
    return plan_study(row.study, uids[0] if uids else None, study, digest, _extras(row))


def _nifti_study(row: SampleRow) -> PlannedStudy:
    digest = _row_digest([], row)
    entry = {
        "study_id": row.study,
        "digest": digest,
        "study_instance_uid": None,
        "manufacturer": None,
        "kind": "nifti",
        "sources": [{"path": str(row.dicom), "member": None, "frame": None}],
        "chosen": [],
        "component": None,
        "rules": [],
        "flags": [],
        "deidentified": False,
        **_extras(row),
    }
    return PlannedStudy(row.study, digest, entry, (), None)
