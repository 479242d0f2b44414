"""The user's pip settings, in the words of uv: set-up installs from wherever pip would have."""

import ast
import os
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# pip's own order, weakest first: `[global]`, then `[install]` of any of its files, then PIP_* variables.
SECTIONS: Final = ("global", "install", ":env:")
# pip setting -> (uv variable, separator between several values).
NAMES: Final = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "keyring-provider": ("UV_KEYRING_PROVIDER", " "),
    "proxy": ("ALL_PROXY", " "),
}


def parse_settings(listing: str) -> dict[str, str]:
    """Return setting -> value from the output of `pip config list`, the strongest section winning."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in by_section:
            by_section[section][name.replace("_", "-")] = str(ast.literal_eval(value))
    return {name: value for section in SECTIONS for name, value in by_section[section].items()}


def to_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """Return uv's environment variables for these pip settings; those that uv has no word for are left out."""
    variables = {
        NAMES[name][0]: NAMES[name][1].join(value.split()) for name, value in settings.items() if name in NAMES
    }
    # Like pip: the best version of any index, where uv alone would stop at the first index that knows the name.
    return variables | {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def read_settings(python: Path) -> dict[str, str]:
    """Return the settings that the pip of this Python finds, in its files and in the environment."""
    command = [str(python), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return parse_settings(listing)


def uv_environment(python: Path) -> dict[str, str]:
    """Return the environment to run uv and jgo in: the user's own, filled up with what pip was told.

    A variable that the user set for uv itself wins. Certificates go to every program that set-up runs.
    """
    environment = to_uv(read_settings(python)) | os.environ
    certificates = environment.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if certificates:
        environment.setdefault("SSL_CERT_FILE", certificates)
        environment.setdefault("REQUESTS_CA_BUNDLE", certificates)
    else:
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    return environment
