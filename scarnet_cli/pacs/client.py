"""Client of one DICOMweb server: dicomweb-client over a transport that retries, with errors explained to users."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import requests
from dicomweb_client import DICOMwebClient
from dicomweb_client.session_utils import add_certs_to_session
from pydicom.errors import InvalidDicomError
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies

from scarnet_cli.dicom.datasets import DAMAGE
from scarnet_cli.errors import DicomError, InputError, PacsError
from scarnet_cli.faults import own_fault
from scarnet_cli.pacs.address import Address
from scarnet_cli.pacs.transport import LATER, OtherHost, Patience, PatientAdapter

USER: Final = "SCARNET_PACS_USER"
PASSWORD: Final = "SCARNET_PACS_PASSWORD"
TOKEN: Final = "SCARNET_PACS_TOKEN"


class BearerAuth(AuthBase):
    """Authentication by a bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        """Take the token."""
        self._token = token

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the Authorization header to a request."""
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


def login_from(environment: Mapping[str, str] = os.environ) -> AuthBase | None:
    """Return the login from the environment: a bearer token, or user and password; None if it holds none.

    Raises:
        InputError: The environment holds both, only half of a login, or characters that no header can carry. The
            message quotes no value.
    """
    user, password = environment.get(USER, ""), environment.get(PASSWORD, "")
    token = environment.get(TOKEN, "").strip()
    if token and (user or password):
        message = f"The environment holds {TOKEN} and {USER} or {PASSWORD} too; unset those that should not be used."
        raise InputError("bad_login", message)
    if bool(user) != bool(password):
        message = f"The environment holds only one of {USER} and {PASSWORD}; set both."
        raise InputError("bad_login", message)
    if not (token.isascii() and token.isprintable()) or " " in token or ":" in user:
        message = f"{TOKEN} holds blanks or characters that no token has, or {USER} a colon; set it again."
        raise InputError("bad_login", message)
    if token:
        return BearerAuth(token)
    return HTTPBasicAuth(user.encode(), password.encode()) if user else None


# Their log lines quote server answers and addresses with the query; both may hold a patient's name.
for _name in ("dicomweb_client", "urllib3", "retrying"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

CA_BUNDLE: Final = "SCARNET_PACS_CA_BUNDLE"
CLIENT_CERTIFICATE: Final = "SCARNET_PACS_CLIENT_CERTIFICATE"
# How often a request is tried. The default, 6, pauses for half a minute in all; each further attempt doubles that.
ATTEMPTS: Final = "SCARNET_PACS_ATTEMPTS"
_MOST_ATTEMPTS: Final = 12
# Simultaneous requests of one process.
CONNECTIONS: Final = 4
_REDIRECTS: Final = 3
_UNDIVIDED: Final = 1 << 31  # larger than any body: a body in one piece can be sent again, one in chunks cannot
_LOGIN_STATUSES: Final = (401, 403, 407)
_SERVER_ERROR: Final = 500
# Errors that never depend on the study.
_SERVERS_FAULT: Final = ("pacs_unreachable", "pacs_tls", "pacs_redirect")
_Answer = TypeVar("_Answer")
_AGAIN: Final = "Run again with -resume once the server responds."
# Exception, its code, and what the message says of the server. The first match counts.
_IN_WORDS: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (
        requests.exceptions.SSLError,
        "pacs_tls",
        f"cannot be trusted (TLS). Name your site's authority (a PEM file) in {CA_BUNDLE}.",
    ),
    (requests.exceptions.ChunkedEncodingError, "pacs_cut", f"broke its answers off. {_AGAIN}"),
    (requests.Timeout, "pacs_timeout", f"does not answer in time. {_AGAIN}"),
    (
        requests.ConnectionError,
        "pacs_unreachable",
        f"cannot be reached. Is it running, and is the address right? {_AGAIN}",
    ),
    (InvalidDicomError, "pacs_bad_answer", "sends an image that is not a DICOM file (PS3.10); check its log."),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A DICOMweb server and the client to query it.

    Attributes:
        address: The server's address.
        client: dicomweb-client; call it through `ask`, so that error messages are readable and hold no secret.
    """

    address: Address
    client: DICOMwebClient

    def ask(self, call: Callable[[DICOMwebClient], _Answer]) -> _Answer:
        """Return what `call` returns.

        Raises:
            PacsError: The server does not answer, refuses, or its answer is not DICOMweb.
            MachineError: This machine failed.
        """
        try:
            return call(self.client)
        except PacsError:
            raise
        except (requests.RequestException, *DAMAGE) as error:
            if fault := own_fault(error):
                raise fault from None
            # Not chained: the library's texts quote the address with its query.
            raise self._in_words(error) from None

    def ask_about_study(self, call: Callable[[DICOMwebClient], _Answer]) -> _Answer:
        """Return what `call` returns; if it fails, find out whether the study or the server is at fault.

        Raises:
            DicomError: The server answers other requests, but not this one.
            PacsError: The server does not answer at all, or refuses everything.
        """
        try:
            return self.ask(call)
        except PacsError as error:
            if error.code in _SERVERS_FAULT:
                raise
            self.require_answer()
            raise DicomError("not_retrieved", f"The study could not be fetched from its server: {error}") from None

    def require_answer(self) -> None:
        """Send a small query. Some servers refuse a query without matching keys; that counts as an answer.

        Raises:
            PacsError: The server does not answer, or refuses the login.
        """
        try:
            self.ask(lambda client: client.search_for_studies(limit=1))
        except PacsError as error:
            if error.code != "pacs_refused":
                raise

    def _in_words(self, error: Exception) -> PacsError:
        if isinstance(error, requests.HTTPError):
            return self._status_in_words(error.response.status_code, error.response.reason)
        for kind, code, words in _IN_WORDS:
            if isinstance(error, kind):
                return PacsError(code, f"The DICOMweb server {self.address.host} {words}")
        words = f"does not answer in DICOMweb ({type(error).__name__}); is the path in the address right?"
        return PacsError("pacs_bad_answer", f"The DICOMweb server {self.address.host} {words}")

    def _status_in_words(self, status: int, reason: str) -> PacsError:
        said = f"The DICOMweb server {self.address.host} answered {status}"
        if status in _LOGIN_STATUSES:
            message = (
                f"{said}: it rejects this login. Set {USER} and {PASSWORD}, or {TOKEN}, in the environment of the run, "
                "and check that they are still valid."
            )
            return PacsError("pacs_login", message)
        words = "".join(c for c in (reason or "") if c.isalpha() or c == " ")[:40].strip()
        code = "pacs_error" if status in LATER or status >= _SERVER_ERROR else "pacs_refused"
        return PacsError(code, f"{said}{f' ({words})' if words else ''}; check its log.")


def open_server(
    address: Address, patience: Patience | None = None, environment: Mapping[str, str] = os.environ
) -> Server:
    """Return a server that is ready for requests, without sending any.

    The login comes from the environment, as do SCARNET_PACS_CA_BUNDLE (a PEM file with the authorities to
    trust instead of the usual ones), SCARNET_PACS_CLIENT_CERTIFICATE (a PEM file with certificate and key) and the
    usual proxy variables. SCARNET_PACS_ATTEMPTS sets how often a request is tried, unless `patience` is given.

    Raises:
        InputError: The environment holds a wrong login, names a missing file, or SCARNET_PACS_ATTEMPTS is wrong.
    """
    patience = patience or Patience(attempts=_attempts(environment))
    session = requests.Session()
    session.trust_env = False  # no login from ~/.netrc
    session.proxies.update(get_environ_proxies(address.base_url))
    session.auth = login_from(environment)
    session.max_redirects = _REDIRECTS
    try:
        add_certs_to_session(session, environment.get(CA_BUNDLE), environment.get(CLIENT_CERTIFICATE))
    except OSError:
        message = f"The file that {CA_BUNDLE} or {CLIENT_CERTIFICATE} names in the environment is not there."
        raise InputError("bad_certificate", message) from None
    session.adapters.clear()
    session.mount("https://", OtherHost())
    session.mount("http://", OtherHost())
    session.mount(f"{address.origin}/", PatientAdapter(patience, CONNECTIONS))
    client = DICOMwebClient(
        address.base_url,
        session,
        permissive_uid=True,  # archives hold UIDs with leading zeros
        chunk_size=_UNDIVIDED,
        timeout=(patience.connect_s, patience.silence_s),
    )
    client.set_http_retry_params(retry=False)  # the transport retries, with Retry-After and jitter
    return Server(address, client)


def _attempts(environment: Mapping[str, str]) -> int:
    text = environment.get(ATTEMPTS, "")
    if not text:
        return Patience().attempts
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_ATTEMPTS:
        message = f"{ATTEMPTS} in the environment must be a whole number from 1 to {_MOST_ATTEMPTS}."
        raise InputError("bad_attempts", message)
    return int(text)
