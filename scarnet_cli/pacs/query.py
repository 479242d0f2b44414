"""Ask a server which studies it has (QIDO-RS) and what their instances' headers say (WADO-RS metadata)."""

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

# Studies asked for at a time; servers may give fewer.
PAGE: Final = 200
_FIELDS: Final = ("NumberOfStudyRelatedInstances", "NumberOfStudyRelatedSeries")
_STUDY_UID, _SERIES_UID, _SOP_UID = "0020000D", "0020000E", "00080018"
_INSTANCES, _SERIES = "00201208", "00201206"
_NEEDED: Final = frozenset(f"{tag:08X}" for tag in WANTED)


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A study that a server says it has.

    Attributes:
        uid: StudyInstanceUID.
        instances: NumberOfStudyRelatedInstances; None where the server does not count.
        series: NumberOfStudyRelatedSeries; likewise.
    """

    uid: str
    instances: int | None
    series: int | None


@dataclass(frozen=True, slots=True)
class InstanceId:
    """What an instance is asked for by: the UIDs of study, series and instance."""

    study_uid: str
    series_uid: str
    sop_uid: str


def search_studies(server: Server, keys: Mapping[str, str]) -> Iterator[ListedStudy]:
    """Yield every study that matches, each once, page by page.

    Servers differ: some give fewer a page than asked for, some ignore `offset` and give the same page again, some
    ignore `limit` and give all at once.

    Args:
        server: The server.
        keys: QIDO-RS matching keys and values.

    Raises:
        PacsError: The server fails, or ignores `offset` and has more studies than it shows.
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
        f"The DICOMweb server {server.address.host} shows the same {shown} studies again when asked for the next ones, "
        "so the rest cannot be had. Narrow the query (StudyDate=20200101-20200331), or list the studies in --studies."
    )
    return PacsError("pacs_paging", message)


def _listed(item: Any, server: Server) -> ListedStudy:  # noqa: ANN401 (whatever the server calls JSON)
    uid = _value(item, _STUDY_UID)
    if not isinstance(uid, str) or not uid:
        message = f"The DICOMweb server {server.address.host} lists a study without StudyInstanceUID; look at its log."
        raise PacsError("pacs_bad_answer", message)
    return ListedStudy(uid, _count(item, _INSTANCES), _count(item, _SERIES))


def _count(item: Any, tag: str) -> int | None:  # noqa: ANN401 (likewise)
    try:
        return int(_value(item, tag))
    except (TypeError, ValueError):
        return None


def _value(item: Any, tag: str) -> Any:  # noqa: ANN401 (likewise)
    """Return the first value of an element in DICOM JSON, None where there is none."""
    try:
        return item[tag]["Value"][0]
    except (KeyError, IndexError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class StudyMetadata:
    """What a server says of a study's instances in DICOM JSON: headers without pixels."""

    study_uid: str
    items: list[dict[str, Any]]

    def headers(self) -> list[tuple[InstanceId | None, Header]]:
        """Return each instance's header, and what it is asked for by; None where the metadata do not say."""
        return [(_instance_id(item, self.study_uid), header_from_metadata(item)) for item in self.items]


def study_metadata(server: Server, study_uid: str) -> StudyMetadata:
    """Return the metadata of all instances of a study.

    Raises:
        DicomError: This study cannot be had.
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
    """Read one instance's metadata as its file's header would be read; an element that cannot be read is left out."""
    dataset = Dataset()
    for tag in _NEEDED & set(item):
        try:
            dataset.update(Dataset.from_json({tag: item[tag]}))
        except DAMAGE:
            continue
    return header_of(dataset, meant=True)


def lacks_facts(header: Header) -> bool:
    """Tell whether an MR image's metadata lack what every MR image has: then its file must be looked at."""
    if not header.frames:
        return header.kind == BROKEN
    return any(
        facts.modality in ("MR", None)
        and not (facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm and facts.image_type)
        for facts in header.frames
    )
