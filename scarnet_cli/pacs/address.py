"""The address of a DICOMweb server as users give it: dicomweb+https://HOST/PATH?QUERY."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from scarnet_cli.errors import InputError

SCHEMES: Final = ("dicomweb+https", "dicomweb+http")
# Allows plain HTTP beyond this machine, although names and images then travel unencrypted.
PLAIN_HTTP: Final = "SCARNET_PACS_PLAIN_HTTP"
_EXAMPLE: Final = "dicomweb+https://pacs.example.org/dicom-web?ModalitiesInStudy=MR&StudyDate=20200101-20201231"
# QIDO-RS parameters that are not attributes and only change how a value matches.
_MATCHING: Final = ("fuzzymatching",)
_TAG_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Address:
    """A DICOMweb server and a query that selects some of its studies.

    Attributes:
        base_url: Root of its services, https://host:port/path, without user, password or query.
        query: QIDO-RS matching keys with their values. Hidden from `repr`: a value may be a patient's name.
    """

    base_url: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """Host and port, which messages use to name the server."""
        return urlsplit(self.base_url).netloc

    @property
    def origin(self) -> str:
        """Scheme, host and port: the only server that may receive credentials."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


def parse_address(source: str, environment: Mapping[str, str] = os.environ) -> Address:
    """Return the address in a text.

    Args:
        source: dicomweb+https://HOST[:PORT]/PATH[?QUERY]; dicomweb+http:// only for this machine, or if
            SCARNET_PACS_PLAIN_HTTP is 1 in the environment.
        environment: Environment variables.

    Raises:
        InputError: It is not such an address, holds credentials, or its query is wrong: a key that is not a matching
            key or is repeated, or an empty value. The message quotes no value, which may be a patient's.
    """
    parts = _split(source)
    if parts.username is not None or parts.password is not None:
        message = (
            "The address holds a user name or a password, which logs would show. Take it out, and set "
            "SCARNET_PACS_USER and SCARNET_PACS_PASSWORD in the environment."
        )
        raise InputError("credentials_in_address", message)
    if parts.fragment or "#" in source:
        message = "The address holds a '#', which would cut it off there; in a query's value write %23."
        raise InputError("bad_address", message)
    scheme = parts.scheme.removeprefix("dicomweb+")
    if scheme == "http" and not _is_loopback(parts.hostname or "") and environment.get(PLAIN_HTTP) != "1":
        message = (
            f"The address of {parts.hostname} is plain HTTP: names, images and the password would be sent unencrypted. "
            f"Use dicomweb+https://, or set {PLAIN_HTTP}=1 where the network itself is trusted."
        )
        raise InputError("plain_http", message)
    return Address(f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}", _query(parts.query))


def _split(source: str) -> SplitResult:
    try:
        parts = urlsplit(source)
        whole = parts.scheme in SCHEMES and parts.hostname and ":" not in parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        whole, parts = False, urlsplit("")
    if not whole:
        message = f"The input is not the address of a DICOMweb server; it looks like {_EXAMPLE}."
        raise InputError("bad_address", message)
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _query(text: str) -> tuple[tuple[str, str], ...]:
    """Return the matching keys and values.

    Unknown keys are refused: a server would ignore them and list all its studies.
    """
    pairs = tuple(parse_qsl(text, keep_blank_values=True))
    unknown = sorted({key for key, _ in pairs if not _is_matching_key(key)})
    if unknown:
        message = (
            f"The address's query holds {', '.join(unknown)}: no DICOM keyword or tag to match studies by. Use "
            "StudyDate, ModalitiesInStudy, StudyDescription, PatientID, AccessionNumber and the like."
        )
        raise InputError("bad_query", message)
    twice = sorted({key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1})
    if twice:
        message = f"The address's query gives {', '.join(twice)} twice; servers differ in that. Give it once."
        raise InputError("bad_query", message)
    empty = sorted({key for key, value in pairs if not value})
    if empty:
        message = f"The address's query gives no value for {', '.join(empty)}; it would match every study."
        raise InputError("bad_query", message)
    return pairs


def _is_matching_key(key: str) -> bool:
    if key in _MATCHING or tag_for_keyword(key) is not None:
        return True
    try:
        return len(key) == _TAG_DIGITS and dictionary_has_tag(int(key, 16))
    except ValueError:
        return False
