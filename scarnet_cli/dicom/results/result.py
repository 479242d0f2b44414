"""The attributes that SEG and SR of one study share: source, model and creation time."""

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
    """The common attributes of a study's SEG and SR.

    Attributes:
        slices: The source of each slice of the label map, in order.
        model: Name of the network that made the label map; empty if no network did.
        model_sha256: Digest of its weights; without a network, of the label map itself.
        segment_mode: How it was run, "default" or "fast"; empty without a network.
        made: Creation time of the objects, in local time as in DICOM.
    """

    slices: Sequence[SourceSlice]
    model: str
    model_sha256: str
    segment_mode: str
    made: datetime

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that distinguish this algorithm from others of the same name."""
        return {"weights_sha256": self.model_sha256, "segment_mode": self.segment_mode}

    def uid(self, *parts: str) -> UID:
        """Return the UID of a part of the result.

        It is derived from the source images, the network and this version: a repeated result has the same UIDs, so that
        a PACS keeps it once.
        """
        sources = (f"{source.header.SOPInstanceUID} {source.frame}" for source in self.slices)
        return make_uid(*sources, self.model_sha256, self.segment_mode, __version__, *parts)

    def settle(self, dataset: Dataset) -> None:
        """Replace the current time, which highdicom wrote, by `made`."""
        dataset.InstanceCreationDate = self.made.strftime("%Y%m%d")
        dataset.InstanceCreationTime = self.made.strftime("%H%M%S.%f")
        for equipment in dataset.get("ContributingEquipmentSequence", []):
            equipment.ContributionDateTime = self.made.strftime("%Y%m%d%H%M%S.%f")
