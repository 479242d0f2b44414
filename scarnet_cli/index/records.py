"""What INDEX knows of an input once it is done."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from scarnet_cli.dicom.batch import Batch
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.tables.unread import UnreadRow


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """What stands for what: one row of the crosswalk, a study.

    Attributes:
        study_id: Its pseudonym.
        original_study_id: Its id without de-identification: a samplesheet's name, else the hash of its UID.
        study_instance_uid: Its new UID.
        original_study_instance_uid: Its UID.
        patient: Pseudonym of the samplesheet's label of the patient.
        original_patient: That label.
    """

    study_id: str
    original_study_id: str
    study_instance_uid: str | None
    original_study_instance_uid: str | None
    patient: str | None
    original_patient: str | None


@dataclass(frozen=True, slots=True)
class Index:
    """What an input holds.

    Attributes:
        root: Folder that the paths in the studies' entries lie below.
        studies: Every study seen, sorted by id.
        memory: What to remember for the next index: rows of `cache.HELD`.
        counts: Files by kind ("image", "object", "broken", "junk", "archive", or why they could not be read).
        unread: What of it was not read.
        server: Root of the DICOMweb server that the files must be fetched from first; None where they are here.
        crosswalk: What stands for what, where the studies are under pseudonyms.
    """

    root: Path
    studies: tuple[PlannedStudy, ...]
    memory: pa.Table
    counts: Counter[str]
    unread: tuple[UnreadRow, ...] = ()
    server: str | None = None
    crosswalk: tuple[CrosswalkRow, ...] = ()

    @property
    def batch(self) -> Batch:
        """All studies that can be converted."""
        return Batch(self.root, [study.entry for study in self.studies if study.entry is not None])
