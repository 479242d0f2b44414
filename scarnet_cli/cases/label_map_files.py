"""Folders of label maps, each a file that is named after its study."""

from pathlib import Path
from typing import Final

from scarnet_cli.errors import InputError

# The longer suffixes first: `x.seg.nrrd` is of the study x.
_SUFFIXES: Final = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".dcm")
_MOST_NAMED: Final = 10


def label_maps_in(folder: Path) -> dict[str, Path]:
    """Return study -> its label map, for all label maps in a folder; each is named after its study.

    Raises:
        InputError: A study has several.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        suffix = next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), None)
        if suffix and path.is_file() and not path.name.startswith("."):
            found.setdefault(path.name[: -len(suffix)], []).append(path)
    if several := sorted(study for study, paths in found.items() if len(paths) > 1):
        named = ", ".join(several[:_MOST_NAMED]) + (", ..." if len(several) > _MOST_NAMED else "")
        message = f"The folder of label maps holds more than one of {named}; leave one of each."
        raise InputError("several_label_maps", message)
    return {study: path for study, (path,) in found.items()}
