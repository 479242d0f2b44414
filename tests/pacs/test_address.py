import pytest

from scarnet_cli.errors import InputError
from scarnet_cli.pacs.address import parse_address


def test_an_address_is_parted_into_the_services_root_and_its_query() -> None:
    address = parse_address(
        "dicomweb+https://pacs.example.org:8443/dicom-web/?ModalitiesInStudy=MR&PatientName=DOE%5EJ*"
    )
    assert address.base_url == "https://pacs.example.org:8443/dicom-web"
    assert address.query == (("ModalitiesInStudy", "MR"), ("PatientName", "DOE^J*"))
    assert (address.host, address.origin) == ("pacs.example.org:8443", "https://pacs.example.org:8443")


def test_a_tag_is_a_matching_key_too() -> None:
    assert parse_address("dicomweb+https://pacs/dicom-web?00080060=MR").query == (("00080060", "MR"),)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://pacs/dicom-web", "bad_address"),
        ("dicomweb+ftp://pacs/dicom-web", "bad_address"),
        ("dicomweb+https:///dicom-web", "bad_address"),
        ("dicomweb+https://pacs:port/dicom-web", "bad_address"),
        ("dicomweb+https://pacs/dicom-web?PatientID=JANE#7", "bad_address"),
        ("dicomweb+https://JANE:secret@pacs/dicom-web", "credentials_in_address"),
        ("dicomweb+https://JANE@pacs/dicom-web", "credentials_in_address"),
        ("dicomweb+http://pacs.example.org/dicom-web", "plain_http"),
        ("dicomweb+https://pacs/dicom-web?Modality_InStudy=JANE", "bad_query"),
        ("dicomweb+https://pacs/dicom-web?limit=10", "bad_query"),
        ("dicomweb+https://pacs/dicom-web?PatientID=", "bad_query"),
        ("dicomweb+https://pacs/dicom-web?PatientID=JANE&PatientID=JOE", "bad_query"),
    ],
)
def test_a_wrong_address_is_refused_without_quoting_what_may_be_a_persons(address: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_address(address, {})
    assert refused.value.code == code
    assert "JANE" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8042"])
def test_plain_http_is_allowed_on_this_machine(host: str) -> None:
    assert parse_address(f"dicomweb+http://{host}/dicom-web", {}).base_url == f"http://{host}/dicom-web"


def test_plain_http_to_another_machine_needs_a_word_in_the_environment() -> None:
    allowed = {"SCARNET_PACS_PLAIN_HTTP": "1"}
    assert parse_address("dicomweb+http://pacs/dicom-web", allowed).base_url == "http://pacs/dicom-web"


def test_an_addresss_text_form_does_not_show_its_query() -> None:
    assert "JANE" not in repr(parse_address("dicomweb+https://pacs/dicom-web?PatientID=JANE"))
