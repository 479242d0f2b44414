"""What SEG and SR of one study have in common: who made them, of what, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from scarnet_cli import __version__
from scarnet_cli.dicom.identity import make_uid
from scarnet_cli.dicom.results.source_headers import SourceSlice

MODEL_NAME: Final = "ScarNet pipeline"


@dataclass(frozen=True, slots=True)
class Result:
    """A study's result.

    Attributes:
        slices: The source of each slice of the label map.
        model: Name of the network that labelled it.
        model_sha256: Digest of its weights.
        segment_mode: How it was used, "default" or "fast".
        made: When the objects are made, in local time as DICOM has it.
    """

    slices: Sequence[SourceSlice]
    model: str
    model_sha256: str
    segment_mode: str
    made: datetime

    @property
    def parameters(self) -> dict[str, str]:
        """What tells this algorithm from others of its name."""
        return {"weights_sha256": self.model_sha256, "segment_mode": self.segment_mode}

    def uid(self, *parts: str) -> UID:
        """Return the UID of a part of the result.

        It follows from the source images, the network and this version: the same result made again has the same UIDs,
        so that an archive keeps it once.
        """
        sources = (f"{source.header.SOPInstanceUID} {source.frame}" for source in self.slices)
        return make_uid(*sources, self.model_sha256, self.segment_mode, __version__, *parts)

    def settle(self, dataset: Dataset) -> None:
        """Put in when the object was made, where highdicom put in the clock's time."""
        dataset.InstanceCreationDate = self.made.strftime("%Y%m%d")
        dataset.InstanceCreationTime = self.made.strftime("%H%M%S.%f")
        for equipment in dataset.get("ContributingEquipmentSequence", []):
            equipment.ContributionDateTime = self.made.strftime("%Y%m%d%H%M%S.%f")
