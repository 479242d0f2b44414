"""HTTP transport to one server: retries with growing pauses, reads answers whole, and limits their time and size."""

import io
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError as BrokenTransfer
from urllib3.util import Retry

from scarnet_cli.errors import PacsError

# Statuses of temporary failures: RFC 9110, RFC 6585. Orthanc also answers 500 under load.
LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK: Final = 1 << 16
# Characters that may stay unescaped in a query, except those that separate its parts.
_QUERY_SIGNS: Final = "/?:@!$'()*,;"


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits on attempts, pauses, time and size of requests.

    Attributes:
        attempts: Most times that a request is sent.
        first_wait_s: Pause after the first attempt; each further pause is twice as long.
        longest_wait_s: Longest pause, even if the server asks for more in Retry-After.
        connect_s: Time limit for connecting.
        silence_s: Longest silence of the server before and during an answer.
        answer_s: Time limit for a whole answer.
        answer_bytes: Largest size of an answer after decompression.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    connect_s: float = 10.0
    silence_s: float = 120.0
    answer_s: float = 900.0
    answer_bytes: int = 1 << 30

    def pause_s(self, attempt: int, asked_for: str | None) -> float:
        """Return the pause in seconds after an attempt (from 0).

        The pause doubles each time, and varies by half to each side so that many tasks do not retry at once.
        `asked_for`, the text of Retry-After (seconds or a date), may lengthen it.
        """
        grown = self.first_wait_s * 2**attempt * random.uniform(0.5, 1.5)
        return min(self.longest_wait_s, max(grown, _seconds(asked_for)))


def _seconds(asked_for: str | None) -> float:
    """Return the seconds that Retry-After asks for; 0 if it cannot be read."""
    try:
        return Retry().parse_retry_after(asked_for) if asked_for else 0.0
    except (BrokenTransfer, ValueError, OverflowError):
        return 0.0


class PatientAdapter(HTTPAdapter):
    """An adapter that repeats a request until it is answered, and reads each answer whole before returning it."""

    def __init__(self, patience: Patience, connections: int) -> None:
        """Keep at most `connections` open."""
        self._patience = patience
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        """Return the answer to a request; after the last attempt, whatever its status.

        Raises:
            requests.RequestException: No complete answer arrived.
            PacsError: The answer is too large.
        """
        options["stream"] = True  # _whole_body reads the body and watches the time
        request.url = _least_escaped(request.url or "")
        for attempt in range(self._patience.attempts):
            last = attempt + 1 == self._patience.attempts
            asked_for = None
            try:
                response = super().send(request, *args, **options)
                response.raw = io.BytesIO(self._whole_body(response))
                if last or response.status_code not in LATER:
                    return response
                asked_for = response.headers.get("Retry-After")
            except requests.exceptions.SSLError:  # waiting does not mend a certificate
                raise
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                if last:
                    raise
            time.sleep(self._patience.pause_s(attempt, asked_for))
        raise AssertionError  # a Patience has at least one attempt

    def _whole_body(self, response: requests.Response) -> bytes:
        """Return the body. `read1` returns what has arrived, so a very slow server cannot block for ever."""
        raw, body = response.raw, bytearray()
        end = time.monotonic() + self._patience.answer_s
        try:
            with response:
                while chunk := raw.read1(_CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > self._patience.answer_bytes:
                        raise self._too_large(response)
                    if time.monotonic() > end:
                        raise requests.ReadTimeout
        except BrokenTransfer as error:
            raise requests.exceptions.ChunkedEncodingError from error
        if not _says_its_length(response) and not _is_closed(response.headers, body):
            raise requests.exceptions.ChunkedEncodingError
        return bytes(body)

    def _too_large(self, response: requests.Response) -> PacsError:
        host = urlsplit(response.url).netloc
        message = f"The DICOMweb server {host} sends an answer of more than {self._patience.answer_bytes >> 20} MiB."
        return PacsError("pacs_too_large", message)


def _least_escaped(url: str) -> str:
    """Return a URL with only those characters escaped in its query that RFC 3986 requires.

    Orthanc 1.10, for one, takes an escaped wild card literally.
    """
    parts = urlsplit(url)
    return parts._replace(query=urlencode(parse_qsl(parts.query), quote_via=quote, safe=_QUERY_SIGNS)).geturl()


def _says_its_length(response: requests.Response) -> bool:
    """Tell whether the headers reveal a cut answer, by its length or by a missing last chunk."""
    return "Content-Length" in response.headers or "chunked" in response.headers.get("Transfer-Encoding", "").lower()


def _is_closed(headers: Mapping[str, str], body: bytearray) -> bool:
    """Tell whether a multipart body ends with its closing delimiter (RFC 2046); True for any other body."""
    kind = headers.get("Content-Type", "").lower()
    return not kind.startswith("multipart/") or body.rstrip().endswith(b"--")


class OtherHost(HTTPAdapter):
    """An adapter for all other servers: it refuses a redirect before anything is sent there."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:  # noqa: ANN401
        """Refuse the request.

        Raises:
            PacsError: Always.
        """
        host = urlsplit(request.url or "").hostname
        message = (
            f"The DICOMweb server redirects to another address, at {host}; nothing was sent there. If "
            "that is the right one, name it in the input."
        )
        raise PacsError("pacs_redirect", message)
