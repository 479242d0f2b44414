"""The way back from a key in a table to the path that it stands for."""

from pathlib import Path

from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.index.files.sweep import Unread, sweep
from scarnet_cli.index.inputs import rows_of


def find_place(source: Path, place: str, pseudonyms: Pseudonyms | None = None) -> list[str]:
    """Return the folders and files of an input whose key in the tables is `place`; opens no file but INPUT.

    Args:
        source: Folder, archive or samplesheet, as it was indexed.
        place: 16 hex digits: a place of the table `unread`, or the id of a failed study that nothing is known of.
        pseudonyms: With which the input was indexed, if any.
    """
    rows = rows_of(source)
    root = (source if source.is_dir() else source.parent).absolute()
    starts = [source] if rows is None else [row.dicom for row in rows]
    unread: list[Unread] = []
    found = {path for start in starts for file in sweep(root, start.absolute(), unread.append) for path in _keyed(file)}
    found |= {path for item in unread for path in _keyed(FoundFile(item.path, None, 0, 0))}
    found |= {item.path for item in unread}
    shown = pseudonyms.study if pseudonyms else str
    return sorted(str(root / path) for path in found if shown(path_key(path)[:16]) == place)


def _keyed(file: FoundFile) -> tuple[str, ...]:
    """Return the paths that a file may be called by: its folder's and its own."""
    folder = str(Path(file.path).parent)
    return (file.path,) if folder == "." else (folder, file.path)
