"""INDEX from a server: ask for its studies and their headers, and plan them as studies in files are planned."""

import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from scarnet_cli.dicom.facts import FoundFile, Frame, FrameFacts, Witnesses
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, Header, read_header
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.errors import DicomError, InputError
from scarnet_cli.index.files.cache import NOTHING, facts_of, merged, read_cache
from scarnet_cli.index.files.collect import Fresh, part_paths
from scarnet_cli.index.files.readers import in_groups
from scarnet_cli.index.files.recall import recall
from scarnet_cli.index.files.same_patient import COLUMNS, settled
from scarnet_cli.index.intake import Intake, IntakeOptions, under_pseudonyms
from scarnet_cli.index.study_plan import Choose, PlannedStudy, StudyFiles, failed_study, files_digest, plan_study
from scarnet_cli.index.whose import codes_of, patients_of
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import CONNECTIONS, Server, open_server
from scarnet_cli.pacs.fetch import Downloads, fetch_instance, file_name
from scarnet_cli.pacs.query import (
    InstanceId,
    ListedStudy,
    header_from_metadata,
    instance_id,
    lacks_facts,
    search_studies,
    study_metadata,
)
from scarnet_cli.pacs.study_list import WantedStudy, read_study_list

# Folder of the fetched instances, in a fetched batch.
INSTANCES: Final = "instances"
# Studies whose metadata are in memory at once: a long cine study's are ten megabytes and more.
_ASKED_AT_ONCE: Final = 4 * CONNECTIONS
_RECALLED_AT_ONCE: Final = 1000
_UNCOUNTED: Final = -1


@dataclass(frozen=True, slots=True)
class _Asked:
    """A study to plan: what the server lists of it, under which id, with which labels."""

    study_id: str
    listed: ListedStudy
    labels: Mapping[str, str | None]


def take_in_address(
    address: str, studies: Path | None, downloads: Path | None, memory: pa.Table | None, options: IntakeOptions
) -> Intake:
    """Index the server of an address as the user gave it; see `take_in_server`.

    Args:
        address: See `parse_address`.
        studies: File of a study list, or None.
        downloads: Folder of what is kept between runs, or None.
        memory: What the last index remembered.
        options: How to choose, and how to show progress.

    Raises:
        InputError: The address, the list or the login in the environment is wrong, or no study matches.
        PacsError: The server fails.
    """
    server = open_server(parse_address(address))
    wanted = read_study_list(studies) if studies else None
    return take_in_server(server, wanted, memory, Downloads(downloads) if downloads else None, options)


def take_in_server(
    server: Server,
    wanted: Sequence[WantedStudy] | None,
    memory: pa.Table | None,
    downloads: Downloads | None,
    options: IntakeOptions,
) -> Intake:
    """Index a server's studies: those that its address's query matches, of these those that a list names.

    A study's headers are asked for only where its number of series or instances is not what is remembered, or where the
    server does not count them.

    Args:
        server: The server.
        wanted: The study list, or None.
        memory: What the last index remembered.
        downloads: Where instances are kept that must be fetched because the metadata lack what is needed.
        options: How to choose, and how to show progress.

    Raises:
        InputError: No study matches.
        PacsError: The server fails.
    """
    asked, failed = _all_matching(server) if wanted is None else _listed_ones(server, wanted)
    if not asked and not failed:
        message = f"The DICOMweb server {server.address.host} has no study that the query matches; widen it."
        raise InputError("no_studies", message)
    options.begin(len(asked))
    known = merged([read_cache(part_paths(options.parts)), memory or NOTHING])
    learnt = _Learnt(Fresh(options.parts))
    studies, counts = failed, Counter[str]()
    try:
        for item, headers in _headers_of(server, asked, known, downloads, learnt):
            studies.append(_plan(server, item, headers, downloads, options.choose))
            if not isinstance(headers, DicomError):
                counts.update(header.kind for _, header in headers)
            options.advance(1)
    finally:  # what a server said before it failed is not asked again
        learnt.fresh.write()
    in_order = tuple(sorted(studies, key=lambda s: s.study_id))
    rows = pa.concat_tables([NOTHING, *learnt.recalled, *learnt.fresh.tables]).unify_dictionaries()
    rows = settled(rows, codes_of(rows["file_study_uid"])[0] + 1)
    intake = Intake(Path(), in_order, rows, counts, (), server.address.base_url)
    return under_pseudonyms(intake, options.pseudonyms)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What the index will remember.

    Attributes:
        fresh: What the server said now.
        recalled: What is remembered of studies that have not changed.
    """

    fresh: Fresh
    recalled: list[pa.Table] = field(default_factory=list)


def _all_matching(server: Server) -> tuple[list[_Asked], list[PlannedStudy]]:
    found = search_studies(server, dict(server.address.query))
    return [_Asked(study_id_from_uid(study.uid), study, {}) for study in found], []


def _listed_ones(server: Server, wanted: Sequence[WantedStudy]) -> tuple[list[_Asked], list[PlannedStudy]]:
    """Look each study of a list up; those that are not there, or not alone, fail."""

    def look_up(study: WantedStudy) -> list[ListedStudy]:
        return list(search_studies(server, {**dict(server.address.query), study.keyword: study.value}))

    asked: dict[str, _Asked] = {}
    failed: list[PlannedStudy] = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for study, found in zip(wanted, pool.map(look_up, wanted), strict=True):
            if len(found) != 1:
                study_id = study.study or study_id_from_uid(study.value)
                lost = failed_study(study_id, "", *_why_not_found(study, len(found)))
                failed.append(replace(lost, labels=study.labels))
                continue
            study_id = study.study or study_id_from_uid(found[0].uid)
            asked.setdefault(study_id, _Asked(study_id, found[0], study.labels))
    return list(asked.values()), failed


def _why_not_found(study: WantedStudy, found: int) -> tuple[str, str]:
    row = f"Row {study.row} of the study list"
    if found == 0:
        return (
            "not_found",
            f"{row}: the server has no study of this {study.keyword} (that the address's query matches).",
        )
    return "several_studies", f"{row}: {found} studies have this {study.keyword}; list them by StudyInstanceUID."


_Known = list[tuple[InstanceId | None, Header]]


def _headers_of(
    server: Server, asked: Sequence[_Asked], memory: pa.Table, downloads: Downloads | None, learnt: _Learnt
) -> Iterator[tuple[_Asked, _Known | DicomError]]:
    """Yield each study with its instances' headers, or with the reason why they cannot be had."""
    unknown: list[_Asked] = []
    for group in in_groups(asked, _RECALLED_AT_ONCE):
        recalled = _recalled(server, group, memory, learnt)
        for item in group:
            if item.listed.uid in recalled:
                yield item, recalled[item.listed.uid]
            else:
                unknown.append(item)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for group in in_groups(unknown, _ASKED_AT_ONCE):
            answers = pool.map(lambda item: _metadata(server, item.listed.uid), group)
            for item, found in zip(group, answers, strict=True):
                known = found if isinstance(found, DicomError) else _read(server, item.listed.uid, found, downloads)
                if not isinstance(known, DicomError):
                    members = [(n, header) for n, (_, header) in enumerate(known)]
                    learnt.fresh.add(_place(server, item.listed), [(None, Header(ARCHIVE)), *members])
                yield item, known


def _metadata(server: Server, study_uid: str) -> list[dict[str, Any]] | DicomError:
    try:
        return study_metadata(server, study_uid)
    except DicomError as error:
        return error


def _read(
    server: Server, study_uid: str, items: Sequence[Mapping[str, Any]], downloads: Downloads | None
) -> _Known | DicomError:
    """Read headers from metadata, and from the instances themselves where the server's metadata are incomplete."""
    known = [(instance_id(item, study_uid), header_from_metadata(item)) for item in items]
    try:
        return _completed(server, known, downloads)
    except DicomError as error:
        return error


def _completed(server: Server, known: _Known, downloads: Downloads | None) -> _Known:
    """Replace incomplete headers by those of the fetched instances, series by series.

    Where a series' first instance itself says no more, the metadata are not to blame and the rest are not fetched.
    """
    lacking: dict[str, list[int]] = defaultdict(list)
    for place, (instance, header) in enumerate(known):
        if instance is not None and lacks_facts(header):
            lacking[instance.series_uid].append(place)
    for places in lacking.values():
        for place in places:
            instance, before = known[place]
            if instance is None:
                continue
            header = _fetched_header(server, instance, downloads)
            if header == before or lacks_facts(header):
                break
            known[place] = instance, header
    return known


def _fetched_header(server: Server, instance: InstanceId, downloads: Downloads | None) -> Header:
    with tempfile.TemporaryDirectory() as folder:
        place = downloads or Downloads(Path(folder))
        path = place.file(file_name(server.address.base_url, instance))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fetch_instance(server, instance, path)
        with path.open("rb") as stream:
            return read_header(stream, path.suffix)


def _place(server: Server, listed: ListedStudy) -> FoundFile:
    """Return a study as the index's memory knows files: an archive, its instances for bytes, its series for time."""
    key = f"{server.address.base_url}/studies/{listed.uid}"
    size = _UNCOUNTED if listed.instances is None else listed.instances
    return FoundFile(key, None, size, _UNCOUNTED if listed.series is None else listed.series)


def _recalled(server: Server, group: Sequence[_Asked], memory: pa.Table, learnt: _Learnt) -> dict[str, _Known]:
    """Return, by UID, the studies of which the server counts as many series and instances as are remembered."""
    places = {_place(server, item.listed): item.listed.uid for item in group if item.listed.instances is not None}
    found = recall(memory, list(places))
    learnt.recalled.append(found.rows)
    kinds = found.rows["kind"].cast(pa.string()).to_pylist()
    numbers = list(zip(*(found.rows[name].to_pylist() for name in COLUMNS), strict=True))
    said: dict[int, Witnesses] = {}
    frames: dict[int, list[FrameFacts]] = defaultdict(list)
    kind_of: dict[int, str] = {}
    for row, (place, kind, facts) in enumerate(zip(found.of_row.tolist(), kinds, facts_of(found.rows), strict=True)):
        kind_of[place] = kind
        said[place] = Witnesses(*(b"" if n is None else b"%d" % n for n in numbers[row]))  # as good as what was said
        frames[place] += [facts] if facts else []
    uids = {place.path: uid for place, uid in places.items()}
    studies: dict[str, _Known] = {}
    for number, file in enumerate(found.files):
        known = studies.setdefault(uids[file.path], [])
        if file.member is not None:
            instance, header = _instance_and_header(kind_of[number], frames[number])
            known.append((instance, header._replace(witnesses=said[number])))
    return studies


def _instance_and_header(kind: str, frames: Sequence[FrameFacts]) -> tuple[InstanceId | None, Header]:
    if not frames:
        return None, Header(kind)
    facts = frames[0]
    instance = InstanceId(facts.study_uid, facts.series_uid or "", facts.sop_uid or "")
    return instance, Header(kind, facts.study_uid, tuple(frames))


def _plan(
    server: Server, item: _Asked, headers: _Known | DicomError, downloads: Downloads | None, choose: Choose
) -> PlannedStudy:
    if isinstance(headers, DicomError):
        return replace(failed_study(item.study_id, "", headers.code, str(headers)), labels=dict(item.labels))
    if problem := patients_of([header.witnesses for _, header in headers]):
        return replace(failed_study(item.study_id, "", problem.code, str(problem)), labels=dict(item.labels))
    study, instances = StudyFiles(), dict[str, InstanceId]()
    for n, (instance, header) in enumerate(headers):
        name = file_name(server.address.base_url, instance) if instance else f"{n}"
        file = FoundFile(f"{INSTANCES}/{name}", None, 0, 0)
        study.broken += header.kind == BROKEN
        study.frames.extend(Frame(file, facts) for facts in header.frames)
        if header.kind == BROKEN or any(facts.modality in ("MR", None) for facts in header.frames):
            study.files.append(file)  # results that were stored back make no other study of it
        if instance:
            instances[file.path] = instance
    failed_before = downloads.failed_before(item.listed.uid) if downloads else None
    keys = ((path_key(file.path), file.size, file.mtime_ns) for file in study.files)
    digest = files_digest(keys, [failed_before] if failed_before else [])
    planned = plan_study(item.study_id, item.listed.uid, study, digest, choose=choose)
    return replace(planned, entry=_with_instances(planned.entry, instances), labels=dict(item.labels))


def _with_instances(entry: StudyEntry | None, instances: Mapping[str, InstanceId]) -> StudyEntry | None:
    """Add to each source of an entry which instance it is, for `fetch_studies`."""
    if entry is None:
        return None
    uids = {path: (found.study_uid, found.series_uid, found.sop_uid) for path, found in instances.items()}
    sources = tuple(replace(source, size=None, mtime_ns=None, instance=uids[source.path]) for source in entry.sources)
    return replace(entry, sources=sources)
