"""What an object store's errors mean: none of them is a study's failure, except where one object alone is denied."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from scarnet_cli.buckets.connection import login_found, login_names, server_of
from scarnet_cli.errors import AccessError, MachineError, ScarnetError

# The stores' own words in the messages of pyarrow: S3's, then Google's and Azure's.
_find_no_bucket: Final = re.compile(r"NO_SUCH_BUCKET|bucket does not exist|ContainerNotFound").search
_find_bad_login: Final = re.compile(
    r"INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN|INVALID_SIGNATURE|EXPIRED|TOKEN|SKEWED"
    r"|UNAUTHENTICATED|AuthenticationFailed"
).search
_find_denied: Final = re.compile(r"ACCESS_DENIED|INVALID_OBJECT_STATE|PERMISSION_DENIED|Authorization\w*").search
_find_code: Final = re.compile(r".*AWS Error (\w+) during", re.DOTALL).match


@contextmanager
def answers(scheme: str, bucket: str, *, of_object: bool = False) -> Iterator[None]:
    """Turn what pyarrow raises into our own errors, whose messages show no key: it may name a patient.

    Args:
        scheme: The store's scheme.
        bucket: The bucket.
        of_object: Whether one object is read, whose denial says nothing about the others.

    Raises:
        FileNotFoundError: There is no such object or prefix.
        PermissionError: The object alone is denied.
        AccessError: The bucket does not exist or denies access.
        MachineError: The server does not answer, or answers with an error.
    """
    try:
        yield
    except ScarnetError:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "no such object") from None
    except (OSError, ValueError) as error:  # pyarrow's own errors are subclasses of these
        raise _in_words(scheme, bucket, str(error), of_object=of_object) from None


def _in_words(scheme: str, bucket: str, said: str, *, of_object: bool) -> Exception:
    server = server_of(scheme)
    if found := _find_code(said):
        said = found[1]  # the rest names the key
    if _find_no_bucket(said):
        message = f"There is no bucket '{bucket}' on {server}; check its name"
        if scheme == "s3":
            message += ", AWS_ENDPOINT_URL and AWS_REGION"
        return AccessError("no_bucket", f"{message}.")
    if of_object and _find_denied(said):
        return PermissionError(errno.EACCES, "the bucket denies an object")
    if _find_bad_login(said) or _find_denied(said):
        if not login_found(scheme):
            message = (
                f"{server} denies access to bucket '{bucket}', and there are no credentials: export "
                f"{login_names(scheme)} and what belongs to it, or give the machine a role that may list and read it."
            )
            return AccessError("no_credentials", message)
        message = (
            f"{server} denies access to bucket '{bucket}': the credentials of the environment are wrong, have expired, "
            "or may not list and read it."
        )
        return AccessError("bucket_denied", message)
    message = f"{server} does not answer, or fails ({said if found else 'no reason given'})"
    return MachineError("bucket_away", f"{message}, for bucket '{bucket}'. Run again with -resume when it does.")
