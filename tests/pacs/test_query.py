import pytest
from odd_server import Reply, dicom_json, listed, odd_server

from scarnet_cli.errors import PacsError
from scarnet_cli.pacs.query import PAGE, header_from_metadata, lacks_facts, search_studies

UIDS = [f"1.2.{n}" for n in range(450)]


def paged(path: str, most: int) -> Reply:
    """Answer as the standard lays down, with the server's own bound on a page."""
    values = dict(pair.split("=") for pair in path.split("?")[1].split("&") if not pair.startswith("includefield"))
    offset, limit = int(values["offset"]), min(int(values["limit"]), most)
    return dicom_json([listed(uid) for uid in UIDS[offset : offset + limit]])


@pytest.mark.parametrize("most", [PAGE, 70, 1000])
def test_every_study_is_listed_once_whatever_a_servers_page(most: int) -> None:
    with odd_server(lambda path, _: paged(path, most)) as server:
        found = [study.uid for study in search_studies(server.open(), {"ModalitiesInStudy": "MR"})]
        assert found == UIDS
        assert all("ModalitiesInStudy=MR" in path for path in server.asked)


def test_a_server_that_ignores_limit_and_offset_lists_every_study_once() -> None:
    with odd_server(lambda *_: dicom_json([listed(uid) for uid in UIDS[:30]])) as server:
        assert [study.uid for study in search_studies(server.open(), {})] == UIDS[:30]
        assert len(server.asked) == 2


def test_a_server_that_ignores_the_offset_and_has_more_than_it_shows_is_refused() -> None:
    page = dicom_json([listed(uid) for uid in UIDS[:PAGE]])
    with odd_server(lambda *_: page) as server, pytest.raises(PacsError, match="Narrow the query") as refused:
        list(search_studies(server.open(), {}))
    assert refused.value.code == "pacs_paging"


@pytest.mark.parametrize("content", [[{"00100010": {"vr": "PN"}}], [7], 7, "studies"])
def test_an_answer_that_lists_no_studies_is_refused(content: object) -> None:
    with odd_server(lambda *_: dicom_json(content)) as server, pytest.raises(PacsError) as refused:
        list(search_studies(server.open(), {}))
    assert refused.value.code == "pacs_bad_answer"


def test_a_server_that_does_not_count_says_so() -> None:
    with odd_server(lambda path, _: dicom_json([listed("1.2", None, None)] if "offset=0" in path else [])) as server:
        (study,) = search_studies(server.open(), {})
    assert (study.instances, study.series) == (None, None)


METADATA = {
    "0020000D": {"vr": "UI", "Value": ["1.2"]},
    "00080060": {"vr": "CS", "Value": ["MR"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY", "M"]},
    "00280010": {"vr": "US", "Value": [96]},
    "00280011": {"vr": "US", "Value": [96]},
    "00280030": {"vr": "DS", "Value": [1.5, "1.25"]},  # numbers, or text: servers do both
    "00200032": {"vr": "DS", "Value": [-118.8203000183, 1, 2]},
    "00200037": {"vr": "DS", "Value": [1, 0, 0, 0, 1, 0]},
    "7FE00010": {"vr": "OW", "BulkDataURI": "http://elsewhere/bulk"},
}


def test_metadata_are_read_as_a_files_header_is() -> None:
    header = header_from_metadata(METADATA)
    (facts,) = header.frames
    assert (facts.rows, facts.spacing_yx_mm) == (96, (1.5, 1.25))
    assert facts.position_xyz_mm == (-118.8203000183, 1.0, 2.0)
    assert not lacks_facts(header)


@pytest.mark.parametrize("tag", ["00280030", "00200032", "00200037", "00080008", "00280010"])
@pytest.mark.parametrize("value", [None, {"vr": "DS"}, {"Value": [{}]}, "odd"])
def test_metadata_without_what_every_mr_image_has_are_incomplete(tag: str, value: object) -> None:
    item = {**METADATA, tag: value} if value else {key: v for key, v in METADATA.items() if key != tag}
    assert lacks_facts(header_from_metadata(item))


def test_metadata_of_other_objects_are_never_incomplete() -> None:
    other = {"0020000D": METADATA["0020000D"], "00080060": {"vr": "CS", "Value": ["SR"]}}
    assert not lacks_facts(header_from_metadata(other))
