"""The connection to an object store; login and server come from the environment, never from the address."""

import os
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from scarnet_cli.errors import InputError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# Requests to a bucket at once: as many as are waiting while the server looks for an object.
AT_ONCE: Final = 32
# A request is sent this often before its task ends, to be tried again by the workflow after a pause.
_ATTEMPTS: Final = 3
_CONNECT_S: Final = 5.0
_SILENCE_S: Final = 20.0
_LOGINS: Final = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS",),
    "az": ("AZURE_STORAGE_KEY", "AZURE_CLIENT_ID"),
}
SCHEMES: Final = tuple(_LOGINS)


def login_found(scheme: str) -> bool:
    """Tell whether the environment names a login; without one, a machine may still have a role of its own."""
    return any(os.environ.get(name) for name in _LOGINS[scheme])


def login_names(scheme: str) -> str:
    """Return the variable of the environment that a message names first."""
    return _LOGINS[scheme][0]


def server_of(scheme: str) -> str:
    """Return what messages call the server: the host of one's own, or the store's name."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    own = urlsplit(endpoint).netloc.rpartition("@")[2] if endpoint and scheme == "s3" else ""
    return own or {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}[scheme]


@cache
def connect(scheme: str, bucket: str) -> "FileSystem":
    """Return the file system that a bucket lies in, by the login and the server of the environment.

    Raises:
        InputError: The environment lacks what is needed, or holds an address that cannot be used.
        OSError: The region of a bucket cannot be found.
    """
    import pyarrow  # noqa: PLC0415 (a local input needs neither of these, and its worker processes start faster)
    from pyarrow import fs  # noqa: PLC0415

    pyarrow.set_io_thread_count(max(AT_ONCE, pyarrow.io_thread_count()))  # the most connections that are kept
    if scheme == "gs":
        return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=_SILENCE_S))
    if scheme == "az":
        account = os.environ.get("AZURE_STORAGE_ACCOUNT")
        if not account:
            message = "A bucket az://CONTAINER needs the account's name: export AZURE_STORAGE_ACCOUNT=NAME."
            raise InputError("no_account", message)
        return fs.AzureFileSystem(account_name=account, account_key=os.environ.get("AZURE_STORAGE_KEY"))
    own = _own_server()
    # The region must be known beforehand on Amazon S3; other servers take any.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = region or ("us-east-1" if own else fs.resolve_s3_region(bucket))
    certificates = os.environ.get("AWS_CA_BUNDLE")
    return fs.S3FileSystem(
        region=region,
        connect_timeout=_CONNECT_S,
        request_timeout=_SILENCE_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        **({"endpoint_override": own[1], "scheme": own[0]} if own else {}),
        **({"tls_ca_file_path": certificates} if certificates else {}),
    )


def _own_server() -> tuple[str, str] | None:
    """Return scheme and host of the server that the environment names in place of Amazon's, or None.

    Raises:
        InputError: It is no address of a server, or holds a login.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/") or "@" in parts.netloc:
        message = "AWS_ENDPOINT_URL is not the address of a server; it must look like https://HOST:PORT, without login."
        raise InputError("bad_endpoint", message)
    return parts.scheme, parts.netloc
