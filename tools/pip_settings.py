"""The user's pip settings translated for uv, so that set-up installs from the same sources as pip."""

import ast
import os
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# pip's order, weakest first: `[global]`, then `[install]` of any of its files, then PIP_* variables.
SECTIONS: Final = ("global", "install", ":env:")
# pip setting -> (uv variable, separator between several values).
NAMES: Final = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "proxy": ("ALL_PROXY", " "),
}
FALSE_WORDS: Final = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class UvSettings:
    """How to call uv: `environment` for the process, `options` after each `pip` subcommand."""

    environment: dict[str, str]
    options: tuple[str, ...]


def parse_settings(listing: str) -> dict[str, str]:
    """Return setting -> value from the output of `pip config list`; the strongest section wins."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in by_section:
            by_section[section][name.replace("_", "-")] = str(ast.literal_eval(value))
    return {name: value for section in SECTIONS for name, value in by_section[section].items()}


def to_uv(settings: Mapping[str, str], own: Mapping[str, str]) -> UvSettings:
    """Return pip settings translated for uv.

    Args:
        settings: Setting -> value, as from `parse_settings`.
        own: The user's environment; its variables for uv override pip's settings.
    """
    environment = {NAMES[name][0]: NAMES[name][1].join(settings[name].split()) for name in NAMES if name in settings}
    # Like pip, take the best version of any index; by default uv stops at the first index that has the package.
    environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # uv takes these two only as options, or under other names.
    options = [] if settings.get("no-index", "").lower() in FALSE_WORDS else ["--no-index"]
    if settings.get("keyring-provider") == "subprocess":
        options += ["--keyring-provider", "subprocess"]
    return UvSettings(with_certificates(environment | dict(own)), tuple(options))


def with_certificates(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with its certificates set for every program of set-up, or else with the system's."""
    certificates = environment.get("SSL_CERT_FILE")
    for_jgo = certificates or ssl.get_default_verify_paths().cafile
    added = {} if certificates else {"UV_SYSTEM_CERTS": "true"}
    added |= {"REQUESTS_CA_BUNDLE": for_jgo} if for_jgo else {}
    return added | dict(environment)


def uv_settings(python: Path) -> UvSettings:
    """Return the settings for uv to install from the same sources as the pip of this Python."""
    command = [str(python), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return to_uv(parse_settings(listing), os.environ)
