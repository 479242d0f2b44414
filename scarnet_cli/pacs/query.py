"""Query a server for its studies (QIDO-RS) and for the headers of their instances (WADO-RS metadata)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset

from scarnet_cli.dicom.datasets import DAMAGE
from scarnet_cli.dicom.headers import BROKEN, Header, header_of
from scarnet_cli.dicom.walk import WANTED
from scarnet_cli.errors import PacsError
from scarnet_cli.pacs.client import Server

# Studies requested per page; servers may return fewer.
PAGE: Final = 200
_FIELDS: Final = ("NumberOfStudyRelatedInstances", "NumberOfStudyRelatedSeries")
_STUDY_UID, _SERIES_UID, _SOP_UID = "0020000D", "0020000E", "00080018"
_INSTANCES, _SERIES = "00201208", "00201206"
_NEEDED: Final = frozenset(f"{tag:08X}" for tag in WANTED)


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A study in a server's answer to a query.

    Attributes:
        uid: StudyInstanceUID.
        instances: NumberOfStudyRelatedInstances; None if the server does not give it.
        series: NumberOfStudyRelatedSeries; None if the server does not give it.
    """

    uid: str
    instances: int | None
    series: int | None


@dataclass(frozen=True, slots=True)
class InstanceId:
    """The UIDs of study, series and instance by which an instance is requested."""

    study_uid: str
    series_uid: str
    sop_uid: str


def search_studies(server: Server, keys: Mapping[str, str]) -> Iterator[ListedStudy]:
    """Yield every study that matches, each once, page by page.

    Servers differ: some return fewer studies per page than requested, some ignore `offset` and repeat the same page,
    some ignore `limit` and return all studies at once.

    Raises:
        PacsError: The server fails, or ignores `offset` and has more studies than it returns.
    """
    seen: set[str] = set()
    offset = 0
    while page := _page(server, keys, offset):
        fresh = [study for study in page if study.uid not in seen]
        if not fresh:
            if len(page) >= PAGE:
                raise _stuck(server, len(page))
            return
        seen.update(study.uid for study in fresh)
        yield from fresh
        offset += len(page)


def _page(server: Server, keys: Mapping[str, str], offset: int) -> list[ListedStudy]:
    def search(client: DICOMwebClient) -> list[ListedStudy]:
        found = client.search_for_studies(limit=PAGE, offset=offset, fields=_FIELDS, search_filters=dict(keys))
        return [_listed(item, server) for item in found]

    return server.ask(search)


def _stuck(server: Server, shown: int) -> PacsError:
    message = (
        f"The DICOMweb server {server.address.host} sends the same {shown} studies again when asked for the next ones, "
        "so the rest is not listed. Narrow the query (StudyDate=20200101-20200331), or list the studies in --studies."
    )
    return PacsError("pacs_paging", message)


def _listed(item: Any, server: Server) -> ListedStudy:  # noqa: ANN401 (any JSON that a server may send)
    uid = _value(item, _STUDY_UID)
    if not isinstance(uid, str) or not uid:
        message = f"The DICOMweb server {server.address.host} lists a study without StudyInstanceUID; check its log."
        raise PacsError("pacs_bad_answer", message)
    return ListedStudy(uid, _count(item, _INSTANCES), _count(item, _SERIES))


def _count(item: Any, tag: str) -> int | None:  # noqa: ANN401 (likewise)
    try:
        return int(_value(item, tag))
    except (TypeError, ValueError):
        return None


def _value(item: Any, tag: str) -> Any:  # noqa: ANN401 (likewise)
    """Return the first value of an element in DICOM JSON, or None."""
    try:
        return item[tag]["Value"][0]
    except (KeyError, IndexError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class StudyMetadata:
    """A server's metadata of a study's instances in DICOM JSON: headers without pixels."""

    study_uid: str
    items: list[dict[str, Any]]

    def headers(self) -> list[tuple[InstanceId | None, Header]]:
        """Return the ids and header of each instance; None for ids that the metadata lack."""
        return [(_instance_id(item, self.study_uid), header_from_metadata(item)) for item in self.items]


def study_metadata(server: Server, study_uid: str) -> StudyMetadata:
    """Return the metadata of all instances of a study.

    Raises:
        DicomError: The server does not return this study.
        PacsError: The server fails.
    """

    def retrieve(client: DICOMwebClient) -> StudyMetadata:
        items = client.retrieve_study_metadata(study_uid)
        return StudyMetadata(study_uid, [item for item in items if isinstance(item, dict)])

    return server.ask_about_study(retrieve)


def _instance_id(item: Mapping[str, Any], study_uid: str) -> InstanceId | None:
    series, sop = _value(item, _SERIES_UID), _value(item, _SOP_UID)
    return InstanceId(study_uid, series, sop) if isinstance(series, str) and isinstance(sop, str) else None


def header_from_metadata(item: Mapping[str, Any]) -> Header:
    """Return the header in one instance's metadata, read as from a file; unreadable elements are left out."""
    dataset = Dataset()
    for tag in _NEEDED & set(item):
        try:
            dataset.update(Dataset.from_json({tag: item[tag]}))
        except DAMAGE:
            continue
    return header_of(dataset, meant=True)


def lacks_facts(header: Header) -> bool:
    """Tell whether an MR image's metadata lack something that every MR image has; its file must then be read."""
    if not header.frames:
        return header.kind == BROKEN
    return any(
        facts.modality in ("MR", None)
        and not (facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm and facts.image_type)
        for facts in header.frames
    )
