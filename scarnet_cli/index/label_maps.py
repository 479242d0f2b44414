"""Label maps that readers corrected: found by study in a folder, and written for QUANTIFY by batch."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from scarnet_cli.cases.label_map_files import label_maps_in
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.errors import InputError
from scarnet_cli.files import write_json
from scarnet_cli.index.records import Index
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.sheet import problem_of_name
from scarnet_cli.stage.records import LabelMapFile
from scarnet_cli.tables.unread import UnreadRow

LABEL_MAPS: Final = "label_maps.json"
_MOST_NAMED: Final = 10
# What other programs and people make of label maps.
_OTHER_FORMS: Final = frozenset(
    {".mha", ".mhd", ".hdr", ".img", ".nhdr", ".mgz", ".mat", ".npy", ".npz", ".gipl", ".h5", ".stl", ".vtk", ".vtp"}
    | {".zip", ".gz", ".xz", ".bz2", ".7z", ".rar", ".tif", ".tiff", ".xml", ".cvi42wsx"}
)


@dataclass(frozen=True, slots=True)
class Corrections:
    """Where corrected label maps are.

    Attributes:
        folder: Holds a label map for each corrected study, named STUDY.nii.gz, .nii, .nrrd, .seg.nrrd or .dcm, or a
            folder of such files for each reader.
        reader: The reader whose label maps are measured; None for the first by name.
    """

    folder: Path
    reader: str | None = None


def with_corrections(index: Index, corrections: Corrections | None) -> Index:
    """Return an index in which each study names its label maps in a folder; they go before a samplesheet's.

    Of a study, the first is measured: the one outside of the readers' folders, else the chosen reader's, else that of
    the first reader by name.

    Args:
        index: The index, after de-identification: files are named as the studies are in the tables.
        corrections: Where the label maps are; None without corrections. Files of no study become rows of `unread`.

    Raises:
        InputError: A folder holds several label maps of a study or one in a form that is not read, none is of a study,
            a reader's folder cannot be a reader's name, or the chosen reader has none.
    """
    if corrections is None:
        return index
    maps: dict[str, list[LabelMapFile]] = {}
    for reader, folder in _folders(corrections):
        for study, path in label_maps_in(folder).items():
            maps.setdefault(study, []).append(LabelMapFile(str(path), "corrected", reader))
    studies = tuple(
        replace(study, label_maps=tuple(maps[study.study_id])) if study.study_id in maps else study
        for study in index.studies
    )
    known = {study.study_id for study in studies}
    _require_read(corrections.folder, known - maps.keys())
    if maps and known.isdisjoint(maps):
        message = (
            f"None of the {len(maps)} names of corrected label maps is that of a study in the input; name each file "
            "after its study_id in the tables (STUDY.nii.gz)."
        )
        raise InputError("no_corrections", message)
    strays = [_stray(file) for name in sorted(maps.keys() - known) for file in maps[name]]
    return replace(index, studies=studies, unread=(*index.unread, *strays))


def write_label_maps(studies: Iterable[PlannedStudy], batches: Mapping[str, Iterable[str]], out: Path) -> None:
    """Write `out`/label_maps.json: for each batch, its studies' label maps with their paths; the workflow reads it."""
    maps = {study.study_id: study.label_maps for study in studies}
    listed = {
        name: [{"study_id": study_id, **asdict(file)} for study_id in ids for file in maps[study_id]]
        for name, ids in batches.items()
    }
    write_json(out / LABEL_MAPS, listed)


def _require_read(folder: Path, without: Container[str]) -> None:
    """Refuse label maps in forms that are not read, of studies that would be measured without a correction.

    Raises:
        InputError: There are some.
    """
    files = (path.name for path in folder.rglob("*") if path.suffix.lower() in _OTHER_FORMS)
    starts = (name[:end] for name in files for end, letter in enumerate(name) if letter == ".")
    if studies := sorted({start for start in starts if start in without}):
        named = ", ".join(studies[:_MOST_NAMED]) + (", ..." if len(studies) > _MOST_NAMED else "")
        message = (
            f"The corrected label maps of {named} are in a form that is not read; save them as .nii.gz, .nii, .nrrd, "
            ".seg.nrrd or DICOM Segmentation (.dcm)."
        )
        raise InputError("no_corrections", message)


def _folders(corrections: Corrections) -> list[tuple[str | None, Path]]:
    """Return the folder of label maps, without a reader, and those of the readers in it, in order of precedence.

    Raises:
        InputError: A reader's folder cannot be a reader's name, or the chosen reader has none.
    """
    folder = corrections.folder.absolute()
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    readers = [path for path in inside if label_maps_in(path)]
    if problem := next((problem for path in readers if (problem := problem_of_name("name", path.name))), None):
        message = f"A reader's folder of corrected label maps names the reader in the tables: its {problem}."
        raise InputError("bad_reader", message)
    names = [path.name for path in readers]
    if corrections.reader is not None and corrections.reader not in names:
        there = f"there are {', '.join(names[:_MOST_NAMED])}" if names else "there is none"
        message = f"No folder of corrected label maps is of the reader {corrections.reader}; {there}."
        raise InputError("no_such_reader", message)
    readers.sort(key=lambda path: path.name != corrections.reader)
    return [(None, folder), *((path.name, path) for path in readers)]


def _stray(file: LabelMapFile) -> UnreadRow:
    message = "A corrected label map of no study in the input: name it after the study_id that the tables give."
    return UnreadRow(path_key(file.path)[:16], "file", "no_study", 1, message)
