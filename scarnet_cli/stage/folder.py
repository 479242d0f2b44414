"""A study's folder in a stage's directory and among the results; the only place that names its files."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from scarnet_cli.errors import InputError
from scarnet_cli.faults import reading_intermediate
from scarnet_cli.files import read_record, write_record

if TYPE_CHECKING:
    from scarnet_cli.image.volume import Volume

# The folder in a stage's directory, and in the results, that holds a folder for each study.
STUDIES: Final = "studies"
FAILURES: Final = "failures.parquet"
# Left by workflows/tidy.nf in that folder where it removed the studies.
TIDIED: Final = ".tidied"

Record = TypeVar("Record")


class StudyFile(StrEnum):
    """The name of a file in a study's folder. Arrays are (z, y, x)."""

    IMAGE = "image.nii.gz"  # the LGE stack, float32 (CONVERT)
    REFERENCE = "reference.nii.gz"  # the samplesheet's label map, on the image's grid (CONVERT)
    STUDY = "study.json"  # the record of CONVERT; from QUANTIFY on, of all stages
    CROP = "crop.nii.gz"  # the image around the heart, (z, 128, 128) (CROP)
    CROP_RECORD = "crop.json"
    LABELS = "labels.nii.gz"  # the label map, uint8, on the image's grid (SEGMENT; QUANTIFY: the one that it measured)
    NETWORK_LABELS = "network_labels.nii.gz"  # the network's, where another one was measured (QUANTIFY)
    SEGMENT_RECORD = "segment.json"
    OVERLAY = "overlay.png"  # contours of the label map on the image (QUANTIFY)
    PLAIN = "plain.webp"  # the same picture without contours (QUANTIFY)
    SEGMENTATION = "seg.dcm"  # (EXPORT)
    REPORT = "report.dcm"


# The files that are results: (stage, file). conf/modules.config publishes the same files.
PUBLISHED: Final = (
    ("convert", StudyFile.IMAGE),
    ("quantify", StudyFile.LABELS),
    ("quantify", StudyFile.NETWORK_LABELS),
    ("quantify", StudyFile.OVERLAY),
    ("quantify", StudyFile.PLAIN),
    ("quantify", StudyFile.STUDY),
    ("export", StudyFile.SEGMENTATION),
    ("export", StudyFile.REPORT),
)


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """One study's folder.

    Attributes:
        path: DIRECTORY/studies/<study_id>.
    """

    path: Path

    @property
    def study_id(self) -> str:
        """The study's id."""
        return self.path.name

    def file(self, name: StudyFile) -> Path:
        """Return the path of a file, which need not exist."""
        return self.path / name

    def has(self, *names: StudyFile) -> bool:
        """Return whether all of these files exist."""
        return all(self.file(name).is_file() for name in names)

    def read_volume(self, name: StudyFile) -> "Volume":
        """Read a NIfTI file that an earlier stage wrote.

        Raises:
            IntermediateError: The file is missing or damaged.
            MachineError: The machine failed.
        """
        from scarnet_cli.image.volume import read_nifti

        with reading_intermediate(self.file(name)) as path:
            return read_nifti(path)

    def read_record(self, name: StudyFile, kind: type[Record]) -> Record:
        """Read a JSON file that an earlier stage wrote; raises the errors of `read_volume`."""
        with reading_intermediate(self.file(name)) as path:
            return read_record(path, kind)

    def write_volume(self, name: StudyFile, volume: "Volume") -> None:
        """Write a NIfTI file atomically."""
        from scarnet_cli.image.volume import write_nifti

        write_nifti(volume, self.file(name))

    def write_record(self, name: StudyFile, record: object) -> None:
        """Write a dataclass as JSON atomically."""
        write_record(self.file(name), record)


def study_folder(directory: Path, study_id: str) -> StudyFolder:
    """Return a study's folder in a stage's directory or among the results; it need not exist."""
    return StudyFolder(directory / STUDIES / study_id)


def study_folders(directory: Path, *names: StudyFile) -> list[StudyFolder]:
    """Return the study folders of a directory that hold all of these files, sorted."""
    folders = (StudyFolder(path) for path in sorted((directory / STUDIES).glob("*")) if path.is_dir())
    return [folder for folder in folders if folder.has(*names)]


def studies_of(stage_directory: Path, *names: StudyFile) -> list[str]:
    """Return the ids of the studies that an earlier stage finished, sorted.

    Args:
        stage_directory: That stage's output directory.
        names: Files that it writes for each study. If only some studies lack one, reading those reports the damage.

    Raises:
        InputError: The directory is not that stage's, holds no studies and no failures table, or was tidied.
    """
    folders = study_folders(stage_directory)
    if (stage_directory / STUDIES / TIDIED).exists():
        message = f"--tidy removed what {stage_directory} held, and it is needed again; run without -resume."
        raise InputError("tidied", message)
    if not folders and not (stage_directory / FAILURES).is_file():
        message = f"{stage_directory} holds no studies; name the output directory of the stage before this one."
        raise InputError("no_studies", message)
    missing = [name for name in names if not any(folder.has(name) for folder in folders)]
    if folders and missing:
        message = (
            f"{stage_directory} is not the output directory of the stage before this one: none of its studies "
            f"({len(folders)}) holds {' or '.join(missing)}."
        )
        raise InputError("wrong_stage", message)
    return sorted(folder.study_id for folder in folders)


def publish(stages: Path, out: Path, published: Iterable[tuple[str, StudyFile]] = PUBLISHED) -> None:
    """Move the stages' results from `stages`/<stage>/studies to `out`/studies."""
    for stage, name in published:
        for folder in study_folders(stages / stage, name):
            target = study_folder(out, folder.study_id).file(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.file(name).replace(target)
