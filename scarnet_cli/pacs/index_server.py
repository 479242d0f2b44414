"""INDEX from a server: request its studies and their headers, and plan them like studies in files."""

import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from scarnet_cli.dicom.facts import FoundFile, Frame, FrameFacts, Witnesses
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, Header, read_header
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.errors import DicomError, InputError
from scarnet_cli.index.deidentify import deidentify_index
from scarnet_cli.index.files.cache import NOTHING, codes_of, facts_of
from scarnet_cli.index.files.read_contents import Reading
from scarnet_cli.index.files.readers import in_groups
from scarnet_cli.index.files.recall import recall
from scarnet_cli.index.files.same_patient import COLUMNS, settled
from scarnet_cli.index.index_input import IndexOptions, with_parts
from scarnet_cli.index.patients import patients_of
from scarnet_cli.index.records import Index
from scarnet_cli.index.study_plan import Choose, PlannedStudy, StudyFiles, failed_study, files_digest, plan_study
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import CONNECTIONS, Server, open_server
from scarnet_cli.pacs.fetch import INSTANCES, Downloads, fetch_instance, file_name
from scarnet_cli.pacs.query import InstanceId, ListedStudy, StudyMetadata, lacks_facts, search_studies, study_metadata
from scarnet_cli.pacs.study_list import WantedStudy, read_study_list
from scarnet_cli.tables.studies import NO_LABELS, StudyLabels

# Studies whose metadata are in memory at once: those of a long cine study take ten megabytes and more.
_ASKED_AT_ONCE: Final = 4 * CONNECTIONS
_RECALLED_AT_ONCE: Final = 1000
_UNCOUNTED: Final = -1


@dataclass(frozen=True, slots=True)
class _Request:
    """A study to plan: its id, the server's listing, and its labels and cells in a list."""

    study_id: str
    listed: ListedStudy
    labels: StudyLabels = NO_LABELS
    user_cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Instance:
    """One instance of a study.

    Attributes:
        id: The UIDs by which it is requested; None if the server does not give them.
        header: Its header.
    """

    id: InstanceId | None
    header: Header


# A server's answer about a study: its instances, or why it does not return them.
_Answer = list[_Instance] | DicomError


@dataclass(frozen=True, slots=True)
class _Memory:
    """What this index remembers for the next one.

    Attributes:
        reading: Headers that the server returned in this run.
        recalled: Remembered rows of studies that have not changed.
    """

    reading: Reading
    recalled: list[pa.Table] = field(default_factory=list)


def index_address(
    address: str, studies: Path | None, downloads: Path | None, memory: pa.Table | None, options: IndexOptions
) -> Index:
    """Index the studies of a server, given its address as the user wrote it; see `index_server`.

    Raises:
        InputError: The address, the list or the login in the environment is wrong, or no study matches.
        PacsError: The server fails.
    """
    server = open_server(parse_address(address))
    wanted = read_study_list(studies) if studies else None
    return index_server(server, wanted, memory, Downloads(downloads) if downloads else None, options)


def index_server(
    server: Server,
    wanted: Sequence[WantedStudy] | None,
    memory: pa.Table | None,
    downloads: Downloads | None,
    options: IndexOptions,
) -> Index:
    """Index a server's studies: all that the address's query matches, or of these those that a list names.

    The headers of a study are requested only if its number of series or instances differs from the remembered one, or
    if the server does not give these numbers.

    Raises:
        InputError: No study matches.
        PacsError: The server fails.
    """
    known = with_parts(memory, options)
    if wanted is None:
        found = search_studies(server, dict(server.address.query))
        requests, studies = [_Request(study_id_from_uid(study.uid), study) for study in found], []
    else:
        requests, studies = _listed_ones(server, wanted)
    if not requests and not studies:
        message = f"The DICOMweb server {server.address.host} has no study that the query matches; widen it."
        raise InputError("no_studies", message)
    remembered, counts = _Memory(Reading(options.read.parts)), Counter[str]()
    try:
        with options.read.progress("studies read", len(requests)) as advance:
            for request, answer in _answers(server, requests, known, downloads, remembered):
                studies.append(_plan(server, request, answer, downloads, options.choice.choose))
                if not isinstance(answer, DicomError):
                    counts.update(instance.header.kind for instance in answer)
                advance()
    finally:  # if the server fails, the next run does not repeat the requests that it answered
        remembered.reading.write()
    rows = pa.concat_tables([NOTHING, *remembered.recalled, *remembered.reading.tables]).unify_dictionaries()
    rows = settled(rows, codes_of(rows["file_study_uid"])[0] + 1)
    in_order = tuple(sorted(studies, key=lambda study: study.study_id))
    index = Index(Path(), in_order, rows, counts, server=server.address.base_url)
    return deidentify_index(index, options.pseudonyms)


def _listed_ones(server: Server, wanted: Sequence[WantedStudy]) -> tuple[list[_Request], list[PlannedStudy]]:
    """Look up each study of a list; a row that matches no study or several is a failed study."""

    def look_up(study: WantedStudy) -> list[ListedStudy]:
        return list(search_studies(server, {**dict(server.address.query), study.keyword: study.value}))

    requests: dict[str, _Request] = {}
    failed: list[PlannedStudy] = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for study, found in zip(wanted, pool.map(look_up, wanted), strict=True):
            if len(found) != 1:
                study_id = study.study or study_id_from_uid(study.value)
                lost = failed_study(study_id, "", *_why_not_found(study, len(found)))
                failed.append(replace(lost, labels=study.labels, user_cells=study.user_cells))
                continue
            study_id = study.study or study_id_from_uid(found[0].uid)
            requests.setdefault(study_id, _Request(study_id, found[0], study.labels, study.user_cells))
    return list(requests.values()), failed


def _why_not_found(study: WantedStudy, found: int) -> tuple[str, str]:
    row = f"Row {study.row} of the study list"
    if found == 0:
        return (
            "not_found",
            f"{row}: the server has no study of this {study.keyword} (that the address's query matches).",
        )
    return "several_studies", f"{row}: {found} studies have this {study.keyword}; list them by StudyInstanceUID."


def _answers(
    server: Server, requests: Sequence[_Request], memory: pa.Table, downloads: Downloads | None, remembered: _Memory
) -> Iterator[tuple[_Request, _Answer]]:
    """Yield each study with its instances from the memory or the server."""
    unknown: list[_Request] = []
    for group in in_groups(requests, _RECALLED_AT_ONCE):
        recalled = _recalled(server, group, memory, remembered)
        for request in group:
            if request.listed.uid in recalled:
                yield request, recalled[request.listed.uid]
            else:
                unknown.append(request)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for group in in_groups(unknown, _ASKED_AT_ONCE):
            metadata = pool.map(lambda request: _metadata(server, request.listed.uid), group)
            for request, said in zip(group, metadata, strict=True):
                answer = said if isinstance(said, DicomError) else _read(server, said, downloads)
                if not isinstance(answer, DicomError):
                    members = [(number, instance.header) for number, instance in enumerate(answer)]
                    remembered.reading.add(_as_archive(server, request.listed), [(None, Header(ARCHIVE)), *members])
                yield request, answer


def _metadata(server: Server, study_uid: str) -> StudyMetadata | DicomError:
    try:
        return study_metadata(server, study_uid)
    except DicomError as error:
        return error


def _read(server: Server, metadata: StudyMetadata, downloads: Downloads | None) -> _Answer:
    """Return headers from the metadata, or from the instances themselves if the metadata are incomplete.

    A series is fetched instance by instance. If an instance itself holds no more than its metadata, the metadata are
    not at fault, and the rest of the series is not fetched.
    """
    completed = [_Instance(instance, header) for instance, header in metadata.headers()]
    lacking: dict[str, list[int]] = defaultdict(list)
    for number, instance in enumerate(completed):
        if instance.id is not None and lacks_facts(instance.header):
            lacking[instance.id.series_uid].append(number)
    try:
        for series in lacking.values():
            for number in series:
                before = completed[number]
                header = _fetched_header(server, before.id, downloads) if before.id else before.header
                if header == before.header or lacks_facts(header):
                    break
                completed[number] = replace(before, header=header)
    except DicomError as error:
        return error
    return completed


def _fetched_header(server: Server, instance: InstanceId, downloads: Downloads | None) -> Header:
    with tempfile.TemporaryDirectory() as folder:
        kept = downloads or Downloads(Path(folder))
        path = kept.file(file_name(server.address.base_url, instance))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fetch_instance(server, instance, path)
        with path.open("rb") as stream:
            return read_header(stream, path.suffix)


def _as_archive(server: Server, listed: ListedStudy) -> FoundFile:
    """Return a study as an archive for the memory: its number of instances as size, of series as time."""
    path = f"{server.address.base_url}/studies/{listed.uid}"
    size = _UNCOUNTED if listed.instances is None else listed.instances
    return FoundFile(path, None, size, _UNCOUNTED if listed.series is None else listed.series)


def _recalled(
    server: Server, group: Sequence[_Request], memory: pa.Table, remembered: _Memory
) -> dict[str, list[_Instance]]:
    """Return, by UID, the studies whose numbers of series and instances on the server are the remembered ones."""
    archives = {
        _as_archive(server, request.listed): request.listed.uid
        for request in group
        if request.listed.instances is not None
    }
    known = recall(memory, list(archives))
    remembered.recalled.append(known.rows)
    kinds = known.rows["kind"].cast(pa.string()).to_pylist()
    numbers = list(zip(*(known.rows[name].to_pylist() for name in COLUMNS), strict=True))
    frames: dict[int, list[FrameFacts]] = defaultdict(list)
    last_row: dict[int, int] = {}
    for row, (index, facts) in enumerate(zip(known.of_row.tolist(), facts_of(known.rows), strict=True)):
        last_row[index] = row
        frames[index] += [facts] if facts else []
    uids = {archive.path: uid for archive, uid in archives.items()}
    studies: dict[str, list[_Instance]] = {}
    for index, file in enumerate(known.files):
        study = studies.setdefault(uids[file.path], [])
        if file.member is not None:
            row = last_row[index]
            said = Witnesses(*(b"" if n is None else b"%d" % n for n in numbers[row]))  # numbers compare like texts
            study.append(_remembered_instance(kinds[row], frames[index], said))
    return studies


def _remembered_instance(kind: str, frames: Sequence[FrameFacts], witnesses: Witnesses) -> _Instance:
    if not frames:
        return _Instance(None, Header(kind, witnesses=witnesses))
    facts = frames[0]
    instance = InstanceId(facts.study_uid, facts.series_uid or "", facts.sop_uid or "")
    return _Instance(instance, Header(kind, facts.study_uid, tuple(frames), witnesses))


def _plan(
    server: Server, request: _Request, answer: _Answer, downloads: Downloads | None, choose: Choose
) -> PlannedStudy:
    if isinstance(answer, DicomError):
        planned = failed_study(request.study_id, "", answer.code, str(answer))
    elif problem := patients_of([instance.header.witnesses for instance in answer]):
        planned = failed_study(request.study_id, "", problem.code, str(problem))
    else:
        planned = _plan_instances(server, request, answer, downloads, choose)
    return replace(planned, labels=request.labels, user_cells=request.user_cells)


def _plan_instances(
    server: Server, request: _Request, instances: Sequence[_Instance], downloads: Downloads | None, choose: Choose
) -> PlannedStudy:
    study, uids = StudyFiles(), dict[str, tuple[str, str, str]]()
    for number, instance in enumerate(instances):
        name = file_name(server.address.base_url, instance.id) if instance.id else f"{number}"
        file, header = FoundFile(f"{INSTANCES}/{name}", None, 0, 0), instance.header
        study.broken += header.kind == BROKEN
        study.frames.extend(Frame(file, facts) for facts in header.frames)
        if header.kind == BROKEN or any(facts.modality in ("MR", None) for facts in header.frames):
            study.files.append(file)  # results that were stored back on the server do not change the study's digest
        if instance.id:
            uids[file.path] = astuple(instance.id)
    failed_before = downloads.failed_before(request.listed.uid) if downloads else None
    keys = ((path_key(file.path), file.size, file.mtime_ns) for file in study.files)
    digest = files_digest(keys, [failed_before] if failed_before else [])
    planned = plan_study(request.study_id, request.listed.uid, study, digest, choose=choose)
    if planned.entry is None:
        return planned
    sources = tuple(
        Source(source.path, frame=source.frame, instance=uids[source.path]) for source in planned.entry.sources
    )
    return replace(planned, entry=replace(planned.entry, sources=sources))
