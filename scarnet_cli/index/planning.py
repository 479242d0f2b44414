"""Plan studies, or reuse a remembered plan if nothing that it depends on has changed."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import scarnet_cli
from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.notes import AppliedRule
from scarnet_cli.dicom.series.selection import SeriesVerdict, select
from scarnet_cli.dicom.study_entry import Extras, Source, StudyEntry
from scarnet_cli.files import parse_record, record_text
from scarnet_cli.index.files.cache import PLAN, facts_of, text_rows
from scarnet_cli.index.files.contents import Contents
from scarnet_cli.index.files.recall import NOT_READ
from scarnet_cli.index.grouping import StudyGroup
from scarnet_cli.index.samplesheet import SampleRow
from scarnet_cli.index.study_plan import (
    Choose,
    PlannedStudy,
    StudyFiles,
    failed_study,
    files_digest,
    plan_study,
    source_of,
)
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.studies import NO_LABELS

# Files whose frames are in memory at a time.
_BLOCK: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """A study's plan as the memory keeps it, without paths.

    Attributes:
        context: Digests of the code and rules that made it.
        digest: Digest of the study's files.
        entry: The study's entry without its sources and a samplesheet's extras; None if the study failed.
        sources: Key and frame of each source of the entry.
        series: The study's series.
        failure: Why the study cannot be converted, or None.
        uid: StudyInstanceUID.
        texts: All free text in its headers.
    """

    context: str
    digest: str
    entry: StudyEntry | None
    sources: tuple[tuple[str, int | None], ...]
    series: tuple[SeriesVerdict, ...]
    failure: Failure | None
    uid: str | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """How the stack of a study is chosen.

    Attributes:
        choose: Chooses among a study's frames; by default with the built-in rules.
        rules: Digest of the rules that `choose` applies; plans made by other rules are made anew.
    """

    choose: Choose = select
    rules: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStudies:
    """The planned studies of an input.

    Attributes:
        studies: The studies.
        memory: Their plans to remember: rows of `cache.HELD`.
    """

    studies: list[PlannedStudy]
    memory: pa.Table


def plan_groups(contents: Contents, groups: Sequence[StudyGroup], memory: pa.Table, choice: Choice) -> PlannedStudies:
    """Plan the studies of an input.

    A remembered plan is reused if the study's files and its samplesheet row have not changed, and the same code and
    rules made it. Studies with an unreadable file are planned anew, since the file may be readable now.
    """
    planner = _Planner(contents, memory, choice)
    rows = {group.study_id: group.row for group in groups if group.row is not None}
    studies = [_with_row(study, rows.get(study.study_id)) for study in planner.plan(groups)]
    return PlannedStudies(studies, text_rows(PLAN, planner.texts))


def _with_row(study: PlannedStudy, row: SampleRow | None) -> PlannedStudy:
    """Return a planned study with what a samplesheet's row says that does not affect its plan."""
    if row is None:
        return replace(study, labels=NO_LABELS, user_cells={}, label_maps=())
    label_maps = (LabelMapFile(str(row.label_map), "given"),) if row.label_map else ()
    return replace(study, labels=row.labels, user_cells=row.user_cells, label_maps=label_maps)


class _Planner:
    """A planner that handles some studies at a time, to limit memory."""

    def __init__(self, contents: Contents, memory: pa.Table, choice: Choice) -> None:
        self._contents = contents
        self._broken = contents.among(NOT_READ)
        self._context = f"{code_digest()} {choice.rules}"
        self._choose = choice.choose
        self._plans = _plans_of(memory)
        self.texts: list[tuple[str, str]] = []  # study ids and plans to remember

    def plan(self, groups: Iterable[StudyGroup]) -> list[PlannedStudy]:
        """Return the studies of all groups."""
        studies: list[PlannedStudy] = []
        waiting: list[tuple[StudyGroup, str]] = []
        frames = 0
        for group in groups:
            digest = self._digest(group)
            known = self._taken_over(group, digest)
            if known is not None:
                studies.append(known)
                continue
            waiting.append((group, digest))
            frames += len(group.members)
            if frames >= _BLOCK:
                studies.extend(self._planned(waiting))
                waiting, frames = [], 0
        return [*studies, *self._planned(waiting)]

    def _digest(self, group: StudyGroup) -> str:
        files, keys = self._contents.files, self._contents.keys
        facts = [(keys[i], files[i].size, files[i].mtime_ns) for i in group.members.tolist()]
        facts += [(path_key(file.path, file.member), file.size, file.mtime_ns) for file in group.lost]
        told = [note.code for note in group.notes] + ([str(group.problem)] if group.problem else [])
        return files_digest(facts, [*(row_facts(group.row) if group.row else ()), *told])

    def _taken_over(self, group: StudyGroup, digest: str) -> PlannedStudy | None:
        text = self._plans.get(group.study_id)
        if text is None or group.lost or (group.members >= self._contents.remembered).any():
            return None
        try:
            plan = parse_record(text, _Plan)
        except ValueError:  # a plan of an earlier release
            return None
        if (plan.context, plan.digest) != (self._context, digest):
            return None
        self.texts.append((group.study_id, text))
        files = {self._contents.keys[i]: self._contents.files[i] for i in group.members.tolist()}
        return _recalled(group, plan, files)

    def _planned(self, waiting: list[tuple[StudyGroup, str]]) -> Iterator[PlannedStudy]:
        frames = self._frames([group for group, _ in waiting])
        for group, digest in waiting:
            study = _plan_group(group, self._study_files(group, frames), digest, self._choose)
            if not group.lost:
                self.texts.append((group.study_id, _remembered(study, self._context)))
            yield study

    def _frames(self, groups: list[StudyGroup]) -> dict[int, list[Frame]]:
        """Return the frames of the groups' files by index of the file."""
        members = np.unique(np.concatenate([np.array([], np.int64), *(group.members for group in groups)]))
        rows = np.flatnonzero(np.isin(self._contents.of_row, members))
        frames: dict[int, list[Frame]] = {index: [] for index in members.tolist()}
        owners = self._contents.of_row[rows].tolist()
        for index, facts in zip(owners, facts_of(self._contents.rows.take(pa.array(rows))), strict=True):
            if facts is not None:
                frames[index].append(Frame(self._contents.files[index], facts))
        return frames

    def _study_files(self, group: StudyGroup, frames: Mapping[int, list[Frame]]) -> StudyFiles:
        files = self._contents.files
        members = sorted(
            group.members.tolist(), key=lambda i: (files[i].path, -1 if files[i].member is None else files[i].member)
        )
        return StudyFiles(
            [*(files[i] for i in members), *group.lost],
            [frame for i in members for frame in frames[i]],
            int(self._broken[group.members].sum()) + len(group.lost),
        )


def _plan_group(group: StudyGroup, study: StudyFiles, digest: str, choose: Choose) -> PlannedStudy:
    if group.problem is not None:
        return failed_study(group.study_id, digest, group.problem.code, str(group.problem))
    if group.row is not None and not study.frames and not study.broken:
        message = (
            "The samplesheet's folder or archive of this study holds no DICOM image; check its path. A NIfTI file is "
            "named itself; an archive of another kind than zip and tar must be unpacked."
        )
        return failed_study(group.study_id, digest, "no_dicom", message)
    uids = {frame.facts.study_uid for frame in study.frames}
    uid = next(iter(uids)) if len(uids) == 1 else None
    further = extras(group.row) if group.row else None
    return plan_study(group.study_id, uid or None, replace(study, notes=group.notes), digest, further, choose)


def plan_nifti(row: SampleRow) -> PlannedStudy:
    """Return the planned study of a row that names a NIfTI file."""
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
    return _with_row(PlannedStudy(row.study, digest, entry.with_extras(extras(row)), (), None), row)


def flag_counted_twice(studies: Sequence[PlannedStudy]) -> list[PlannedStudy]:
    """Flag studies that measure the same pictures, as where two rows of a samplesheet name one folder."""
    times = Counter(study.entry.sources for study in studies if study.entry)
    return [
        _counted_twice(study, study.entry) if study.entry and times[study.entry.sources] > 1 else study
        for study in studies
    ]


def _counted_twice(study: PlannedStudy, entry: StudyEntry) -> PlannedStudy:
    rule = AppliedRule("counted_twice", "Another row of the samplesheet names the same pictures.")
    digest = files_digest([], [study.digest, rule.code])
    flags = tuple(sorted({*entry.flags, rule.code}))
    return replace(study, digest=digest, entry=replace(entry, digest=digest, rules=(*entry.rules, rule), flags=flags))


def row_facts(row: SampleRow) -> list[object]:
    """Return the facts of a samplesheet's row that affect measurements: extras, and size and time of its files."""
    facts: list[object] = [asdict(extras(row))]
    for path in filter(None, (row.reference, row.dicom if row.is_nifti else None)):
        status = path.stat()
        facts.append((status.st_size, status.st_mtime_ns))
    return facts


def extras(row: SampleRow) -> Extras:
    """Return what a row adds to its study's entry."""
    return Extras(row.rv_insertion, str(row.reference) if row.reference else None)


@cache
def code_digest() -> str:
    """Return a digest of the version and of the planning code; after a change of either, plans are made anew."""
    room = Path(scarnet_cli.__file__).parent
    digest = hashlib.sha256(scarnet_cli.__version__.encode())
    patterns = ("dicom/**/*.py", "dicom/**/*.yml", "index/**/*.py")
    for path in sorted(path for pattern in patterns for path in room.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _plans_of(memory: pa.Table) -> dict[str, str]:
    rows = memory.filter(pc.call_function("equal", [memory["kind"].cast(pa.string()), pa.scalar(PLAN)]))
    return dict(zip(rows["key"].to_pylist(), rows["plan"].to_pylist(), strict=True))


def _remembered(study: PlannedStudy, context: str) -> str:
    """Return a plan as text in which keys replace paths."""
    sources = study.entry.sources if study.entry else ()
    plan = _Plan(
        context,
        study.digest,
        entry=replace(study.entry, sources=(), rv_insertion=None, reference=None) if study.entry else None,
        sources=tuple((path_key(source.path, source.member), source.frame) for source in sources),
        series=study.series,
        failure=study.failure,
        uid=study.study_instance_uid,
        texts=tuple(sorted(study.texts)),
    )
    return record_text(plan)


def _recalled(group: StudyGroup, plan: _Plan, files: Mapping[str, FoundFile]) -> PlannedStudy:
    entry = plan.entry
    if entry is not None:
        sources = tuple(source_of(files[key], frame) for key, frame in plan.sources)
        entry = replace(entry, sources=sources).with_extras(extras(group.row) if group.row else Extras())
    return PlannedStudy(group.study_id, plan.digest, entry, plan.series, plan.failure, plan.uid, frozenset(plan.texts))
