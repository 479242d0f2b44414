"""Recognise files and folders that systems, copying programs and discs leave beside images; none of them is needed."""

import re
from typing import Final

# System folders of a disk: the trash, the search index, pieces of repaired files. Only the system may list some.
SYSTEM_FOLDERS: Final = frozenset(
    {
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        ".trashes",
        ".trash",
        ".spotlight-v100",
        ".fseventsd",
        ".documentrevisions-v100",
        ".temporaryitems",
    }
)
_is_trash: Final = re.compile(r"\.trash-\d+").fullmatch
# Folders that hold metadata of each neighbouring file under the file's own name.
_SHADOWS: Final = frozenset({"__macosx", ".appledouble", "@eadir"})
_is_own_name: Final = re.compile(
    r"\._.*|\.ds_store|thumbs\.db.*|ehthumbs.*\.db|desktop\.ini|dicomdir(\W.*)?|version|lockfile|autorun\.inf",
    re.IGNORECASE,
).fullmatch


def is_system_folder(name: str) -> bool:
    """Tell whether a folder of this name is a system folder of a disk."""
    name = name.lower()
    return name in SYSTEM_FOLDERS or bool(_is_trash(name))


def is_leftover(path: str) -> bool:
    """Tell by its path whether a file that cannot be read as DICOM is a leftover rather than a damaged image.

    Leftovers are resource forks of macOS (`._IM1.dcm`, `__MACOSX/IM1.dcm`), thumbnails, or a truncated DICOMDIR.
    """
    *folders, name = path.replace("\\", "/").split("/")
    return bool(_is_own_name(name)) or any(folder.lower() in _SHADOWS for folder in folders)
