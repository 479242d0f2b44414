"""Records of a finished index."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.batch import Batch
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.tables.unread import UnreadRow


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """A row of the crosswalk: one study's pseudonyms and original identifiers.

    Attributes:
        study_id: The study's pseudonym.
        original_study_id: Its id without de-identification: a samplesheet's name, else the hash of its UID.
        study_instance_uid: Its new StudyInstanceUID.
        original_study_instance_uid: Its original StudyInstanceUID.
        patient: Pseudonym of the samplesheet's label `patient`.
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
    """The studies and files of an input.

    Attributes:
        root: Folder, or prefix in a bucket, to which the paths in the studies' entries are relative.
        studies: All studies, sorted by id.
        memory: Rows of `cache.HELD` to remember for the next index.
        counts: Number of files by kind ("image", "object", "broken", "junk", "archive", or why they could not be read).
        unread: Folders and files that were not read.
        server: Root of the DICOMweb server from which the files must first be fetched; None if they are local.
        crosswalk: Pseudonyms and original identifiers, if the studies are de-identified.
    """

    root: Place
    studies: tuple[PlannedStudy, ...]
    memory: pa.Table
    counts: Counter[str]
    unread: tuple[UnreadRow, ...] = ()
    server: str | None = None
    crosswalk: tuple[CrosswalkRow, ...] = ()

    @property
    def batch(self) -> Batch:
        """The entries of all studies that can be converted."""
        return Batch(self.root, [study.entry for study in self.studies if study.entry is not None])
