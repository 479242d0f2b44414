"""Credentials for a server: read from the environment only, never from a command line or an address."""

import os
from collections.abc import Mapping
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from scarnet_cli.errors import InputError

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
        message = f"The environment holds {TOKEN} and {USER} or {PASSWORD} too; unset those that are not meant."
        raise InputError("bad_login", message)
    if bool(user) != bool(password):
        message = f"The environment holds only one of {USER} and {PASSWORD}; set both."
        raise InputError("bad_login", message)
    if not (token.isascii() and token.isprintable()) or " " in token or ":" in user:
        message = f"{TOKEN} holds blanks or signs that no token has, or {USER} a colon; set it again."
        raise InputError("bad_login", message)
    if token:
        return BearerAuth(token)
    return HTTPBasicAuth(user.encode(), password.encode()) if user else None
