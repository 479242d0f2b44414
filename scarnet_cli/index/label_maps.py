"""Label maps that readers corrected: found by study in a folder, and written for QUANTIFY by batch."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import InputError
from scarnet_cli.files import write_json
from scarnet_cli.index.records import Index
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.tables.unread import UnreadRow

LABEL_MAPS: Final = "label_maps.json"
# The longer suffixes first: `x.seg.nrrd` is of the study x.
_SUFFIXES: Final = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".dcm")
_MOST_NAMED: Final = 10


def with_corrections(index: Index, folder: Path | None) -> Index:
    """Return an index in which each study that has a label map in `folder` names it; it goes before a samplesheet's.

    Args:
        index: The index, after de-identification: files are named as the studies are in the tables.
        folder: Holds a label map for each corrected study, named STUDY.nii.gz, .nii, .nrrd, .seg.nrrd or .dcm; None
            without corrections. Files of no study become rows of `unread`.

    Raises:
        InputError: A study has several label maps.
    """
    if folder is None:
        return index
    files = _label_maps(folder)
    studies = tuple(
        replace(study, label_map=LabelMapFile(str(files[study.study_id]), "corrected"))
        if study.study_id in files
        else study
        for study in index.studies
    )
    strays = [_stray(files[name]) for name in sorted(files.keys() - {study.study_id for study in studies})]
    return replace(index, studies=studies, unread=(*index.unread, *strays))


def write_label_maps(studies: Iterable[PlannedStudy], batches: Mapping[str, Iterable[str]], out: Path) -> None:
    """Write `out`/label_maps.json: for each batch, its studies' label maps with their paths; the workflow reads it."""
    maps = {study.study_id: study.label_map for study in studies if study.label_map is not None}
    listed = {
        name: [{"study_id": study_id, **asdict(maps[study_id])} for study_id in ids if study_id in maps]
        for name, ids in batches.items()
    }
    write_json(out / LABEL_MAPS, listed)


def _label_maps(folder: Path) -> dict[str, Path]:
    """Return study -> its label map, for all label maps in a folder.

    Raises:
        InputError: A study has several.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.absolute().iterdir()):
        suffix = next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), None)
        if suffix and path.is_file() and not path.name.startswith("."):
            found.setdefault(path.name[: -len(suffix)], []).append(path)
    if several := sorted(study for study, paths in found.items() if len(paths) > 1):
        named = ", ".join(several[:_MOST_NAMED]) + (", ..." if len(several) > _MOST_NAMED else "")
        message = f"The folder of corrected label maps holds more than one of {named}; leave one of each."
        raise InputError("several_label_maps", message)
    return {study: path for study, (path,) in found.items()}


def _stray(path: Path) -> UnreadRow:
    message = "A corrected label map of no study in the input: name it after the study_id that the tables give."
    return UnreadRow(path_key(str(path))[:16], "file", "no_study", 1, message)
