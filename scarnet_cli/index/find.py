"""Find the path that a key in a table stands for."""

from scarnet_cli.buckets.place import Place, located
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.facts import parent_of
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.index.files.sweep import UnreadItem, sweep
from scarnet_cli.index.inputs import read_input


def find_paths(source: Place, key: str, pseudonyms: Pseudonyms | None = None) -> list[str]:
    """Return the absolute paths of folders and files whose key in the tables is `key`; open no file but `source`.

    Args:
        source: Folder, archive or samplesheet, as it was indexed.
        key: 16 hex digits: a key in the table `unread`, or the id of a failed study that names a folder or file.
        pseudonyms: The pseudonyms with which the input was indexed, if any.
    """
    given = read_input(source)
    unread: list[UnreadItem] = []
    files = [file.path for start in given.paths for file in sweep(given.root, start.absolute(), unread.append)]
    paths: set[str] = set()
    for path in (*files, *(item.path for item in unread)):
        folder = parent_of(path)
        paths.update((path,) if folder == "." else (folder, path))
    shown = pseudonyms.study if pseudonyms else str
    return sorted(str(located(given.root, path)) for path in paths if shown(path_key(path)[:16]) == key)
