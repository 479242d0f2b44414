"""`scarnet find`: the path behind a key in a table."""

import os
import sys
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.source_options import FILES, deidentify_options
from scarnet_cli.errors import InputError

if TYPE_CHECKING:
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms


@click.command(epilog="Example: scarnet find /data/cohort 70a0518dde302645")
@click.argument("source", metavar="INPUT", type=FILES)
@click.argument("key", metavar="KEY")
@deidentify_options
def find(source: Place, key: str, deidentify: "Pseudonyms | None") -> None:
    """Print the path in INPUT that a key in the tables stands for; no other command shows paths.

    KEY is one of the table `unread`, or the id of a failed study that could not be read.
    """
    from scarnet_cli.index.find import find_paths

    paths = find_paths(source, key, deidentify)
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + b"\n")
    if not paths:
        message = f"No folder or file of the input has the key {key}; it may be gone."
        raise InputError("unknown_key", message)
