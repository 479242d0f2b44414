"""What a client meets on the way: servers that are busy, slow, cut, wrong or elsewhere."""

import errno
import logging
import shutil
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from odd_server import BASIC, HASTY, LOGIN, Reply, dicom_json, listed, multipart, odd_server
from pydicom.data import get_testdata_file

from scarnet_cli.errors import DicomError, InputError, MachineError, PacsError
from scarnet_cli.pacs.address import parse_address
from scarnet_cli.pacs.client import Server, login_from, open_server
from scarnet_cli.pacs.transport import Patience

ONE = dicom_json([listed("1.2.3")])


def search(server: Server) -> list[dict[str, dict]]:  # type: ignore[type-arg] # the library's own type
    return server.ask(lambda client: client.search_for_studies())


def refusal(server: Server) -> PacsError:
    with pytest.raises(PacsError) as refused:
        search(server)
    return refused.value


@pytest.mark.parametrize("busy", [Reply(503), Reply(429, {"Retry-After": "0"}), Reply(500), Reply(503, how="cut")])
def test_a_busy_server_is_asked_again(busy: Reply) -> None:
    with odd_server(lambda _, number: busy if number == 1 else ONE) as server:
        assert len(search(server.open())) == 1
        assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_told_with_its_status() -> None:
    with odd_server(lambda *_: Reply(503)) as server:
        error = refusal(server.open())
        assert error.code == "pacs_error"
        assert "503 (Service Unavailable)" in str(error)
        assert len(server.asked) == HASTY.attempts


def test_pauses_double_vary_by_half_and_follow_retry_after_up_to_a_bound() -> None:
    patience = Patience(first_wait_s=1, longest_wait_s=60)
    for attempt in range(4):
        assert 0.5 * 2**attempt <= patience.pause_s(attempt, None) <= 1.5 * 2**attempt
    assert patience.pause_s(0, "17") == 17
    assert patience.pause_s(0, "86400") == 60
    assert patience.pause_s(0, "Wed, 21 Oct 2099 07:28:00 GMT") == 60
    assert patience.pause_s(0, "soon") <= 1.5


def test_a_dripping_server_does_not_hold_on_for_ever() -> None:
    drip = Reply(200, {"Content-Type": "application/json"}, b" " * 10_000, "drip")
    with odd_server(lambda *_: drip) as server:
        assert refusal(server.open(patience=Patience(attempts=1, answer_s=0.2))).code == "pacs_timeout"


def test_an_answer_beyond_the_bound_is_refused() -> None:
    with odd_server(lambda *_: Reply(200, {"Content-Type": "application/json"}, b"[" + b" " * 5000)) as server:
        assert refusal(server.open(patience=Patience(attempts=1, answer_bytes=4096))).code == "pacs_too_large"


def test_memory_and_open_files_are_this_machine_s_fault_and_not_the_server_s() -> None:
    def fail(error: Exception, cause: Exception | None = None) -> None:
        raise error from cause

    with odd_server(lambda *_: Reply(200, {}, b"")) as server:
        with pytest.raises(MachineError, match="Memory ran out"):
            server.open().ask(lambda _: fail(MemoryError()))
        with pytest.raises(MachineError, match="too many files"):
            server.open().ask(lambda _: fail(requests.ConnectionError(), OSError(errno.EMFILE, "")))
        with pytest.raises(PacsError, match="cannot be reached"):
            server.open().ask(lambda _: fail(requests.ConnectionError(), OSError(errno.ETIMEDOUT, "")))


@pytest.mark.parametrize("how", ["cut", "cut in a chunk", "open"])
def test_a_cut_answer_is_asked_for_again(how: str) -> None:
    path = get_testdata_file("MR_small.dcm")
    assert isinstance(path, str)
    content = Path(path).read_bytes()
    cut = multipart(content[:-4000] if how == "open" else content, closed=how != "open", how=how)
    with odd_server(lambda _, number: cut if number == 1 else multipart(content)) as server:
        dataset = server.open().ask(lambda client: client.retrieve_instance("1.2", "1.3", "1.4"))
        assert len(dataset.PixelData) == 64 * 64 * 2
        assert len(server.asked) == 2


def test_an_answer_that_stays_cut_is_told() -> None:
    with odd_server(lambda *_: Reply(200, {}, b"[]" * 100, "cut")) as server:
        assert refusal(server.open()).code == "pacs_cut"


def test_a_web_page_in_place_of_dicomweb_is_told() -> None:
    with odd_server(lambda *_: Reply(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")) as server:
        assert refusal(server.open()).code == "pacs_bad_answer"


def test_an_image_of_the_wrong_content_type_is_told() -> None:
    picture = Reply(200, {"Content-Type": "image/jpeg"}, b"\xff\xd8\xff")
    with odd_server(lambda *_: picture) as server, pytest.raises(PacsError) as refused:
        server.open().ask(lambda client: client.retrieve_instance("1.2", "1.3", "1.4"))
    assert refused.value.code == "pacs_bad_answer"


def test_no_content_is_no_study() -> None:
    with odd_server(lambda *_: Reply(204)) as server:
        assert search(server.open()) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_says_which_variables_hold_it(status: int) -> None:
    with odd_server(lambda *_: Reply(status)) as server:
        error = refusal(server.open())
    assert error.code == "pacs_login"
    assert "SCARNET_PACS_TOKEN" in str(error)


def test_a_redirect_to_another_server_sends_nothing_there() -> None:
    with odd_server(lambda *_: ONE) as other:
        away = Reply(302, {"Location": f"http://127.0.0.1:{other.port}/dicom-web/studies"})
        with odd_server(lambda *_: away) as server:
            assert refusal(server.open()).code == "pacs_redirect"
            assert server.logins == [BASIC]
        assert other.asked == []


def test_a_redirect_within_the_server_is_followed_with_the_login_but_not_for_ever() -> None:
    def turn(path: str, _: int) -> Reply:
        return Reply(307, {"Location": "/dicom-web/moved"}) if path == "/studies" else ONE

    with odd_server(turn) as server:
        assert len(search(server.open())) == 1
        assert server.logins == [BASIC, BASIC]
    with odd_server(lambda *_: Reply(307, {"Location": "/dicom-web/studies"})) as server:
        assert refusal(server.open()).code == "pacs_bad_answer"
        assert len(server.asked) < 10


def test_a_server_that_is_not_there_is_told() -> None:
    with odd_server(lambda *_: ONE) as server:
        gone = server.open()
    error = refusal(gone)
    assert error.code == "pacs_unreachable"
    assert gone.address.host in str(error)


@pytest.mark.parametrize("status", [404, 500, 403])
def test_a_study_that_alone_cannot_be_had_is_the_studys_failure(status: int) -> None:
    with odd_server(lambda path, _: ONE if path.startswith("/studies?") else Reply(status)) as server:
        with pytest.raises(DicomError, match=f"answered {status}") as refused:
            server.open().ask_about_study(lambda client: client.retrieve_study_metadata("1.2.3"))
        assert refused.value.code == "not_retrieved"


def test_a_server_that_refuses_a_query_without_keys_answers_all_the_same() -> None:
    narrow = Reply(400)
    with (
        odd_server(lambda path, _: narrow if path.startswith("/studies?") else Reply(404)) as server,
        pytest.raises(DicomError, match="answered 404"),
    ):
        server.open().ask_about_study(lambda client: client.retrieve_study_metadata("1.2.3"))


def test_a_server_that_refuses_everything_is_not_blamed_on_the_study() -> None:
    with odd_server(lambda *_: Reply(502)) as server, pytest.raises(PacsError, match="502"):
        server.open().ask_about_study(lambda client: client.retrieve_study_metadata("1.2.3"))


def test_neither_login_nor_query_is_in_messages_logs_or_text_forms(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    replies = [Reply(503), Reply(200, {"Warning": "299 JANE"}, b"[]"), Reply(400), Reply(200, {}, b"{")]
    told = []
    with odd_server(lambda _, number: replies[min(number, len(replies)) - 1]) as server:
        opened = server.open("?PatientName=JANE")
        for _ in range(len(replies)):
            try:
                opened.ask(lambda client: client.search_for_studies(search_filters={"PatientName": "JANE"}))
            except PacsError as error:
                told.append(f"{error!r} {error.__cause__!r} {error.__suppress_context__}")
        assert all("PatientName=JANE" in path for path in server.asked)
    assert len(told) == 3
    for text in (*told, caplog.text, repr(opened), str(opened.address)):
        assert "JANE" not in text
        assert "sesame" not in text
        assert BASIC not in text


def test_wild_cards_are_sent_as_they_are_and_other_signs_escaped() -> None:
    with odd_server(lambda *_: ONE) as server:
        filters = {"PatientName": "DOE^J*", "StudyDescription": "a b&c"}
        server.open().ask(lambda client: client.search_for_studies(search_filters=filters))
        assert server.asked == ["/studies?PatientName=DOE%5EJ*&StudyDescription=a%20b%26c"]


def test_a_bearer_token_is_sent() -> None:
    with odd_server(lambda *_: ONE) as server:
        opened = open_server(parse_address(server.address()), HASTY, {"SCARNET_PACS_TOKEN": " abc.def \n"})
        search(opened)
        assert server.logins == ["Bearer abc.def"]


def test_without_a_login_none_is_sent_not_even_netrcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with odd_server(lambda *_: ONE) as server:
        search(open_server(parse_address(server.address()), HASTY, {}))
        assert server.logins == [None]


@pytest.mark.parametrize(
    "environment",
    [
        {"SCARNET_PACS_USER": "reader"},
        {"SCARNET_PACS_PASSWORD": "pass-4711"},
        {"SCARNET_PACS_TOKEN": "pass-4711", **LOGIN},
        {"SCARNET_PACS_TOKEN": "pass-4711\nHost: evil"},
        {"SCARNET_PACS_USER": "a:b", "SCARNET_PACS_PASSWORD": "pass-4711"},
    ],
)
def test_half_a_login_or_two_are_refused_without_being_shown(environment: dict[str, str]) -> None:
    with pytest.raises(InputError) as refused:
        login_from(environment)
    assert refused.value.code == "bad_login"
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize("attempts", ["0", "many", "13"])
def test_a_wrong_number_of_attempts_is_refused(attempts: str) -> None:
    with pytest.raises(InputError, match="from 1 to 12"):
        open_server(parse_address("dicomweb+https://pacs/x"), environment={"SCARNET_PACS_ATTEMPTS": attempts})


def test_a_certificate_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="SCARNET_PACS_CA_BUNDLE"):
        open_server(parse_address("dicomweb+https://pacs/x"), environment={"SCARNET_PACS_CA_BUNDLE": "/nowhere.pem"})


class _Studies(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


def test_tls_trusts_the_sites_authority_and_no_stranger(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not here")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Studies) as http:
        http.socket = context.wrap_socket(http.socket, server_side=True)
        http.handle_error = lambda *_: None  # type: ignore[method-assign] # a refused handshake is what is tested
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            address = parse_address(f"dicomweb+https://localhost:{http.server_address[1]}/dicom-web")
            assert search(open_server(address, HASTY, {"SCARNET_PACS_CA_BUNDLE": str(certificate)})) == []
            error = refusal(open_server(address, HASTY, {}))
        finally:
            http.shutdown()
            thread.join()
    assert error.code == "pacs_tls"
    assert "SCARNET_PACS_CA_BUNDLE" in str(error)
