"""One study segmented; the slices of several go through the network together."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scarnet_cli.errors import IntermediateError
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.crop_study import CroppedStudy, read_crop
from scarnet_cli.infer.decision import Decision
from scarnet_cli.infer.doubts import find_doubts
from scarnet_cli.infer.segment import CropPrediction, paste_back, segment_crops
from scarnet_cli.model.weights import TrainedNetwork, device_name
from scarnet_cli.stage.folder import StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.records import SegmentRecord


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says of one study.

    Attributes:
        seen: Probabilities on the crop's grid, and how much scar to expect.
        cropped: What CROP left of it.
    """

    seen: CropPrediction
    cropped: CroppedStudy


class GroupedPredictions:
    """Probabilities of many studies, computed a group at a time when the first of the group is asked for.

    A crop that cannot be read does not stop its group: the error is raised when that study is asked for.
    """

    def __init__(
        self,
        crop_directory: Path,
        study_ids: Sequence[str],
        predict: Callable[[list[Volume]], list[CropPrediction]],
        group: int,
    ) -> None:
        """Keep what is needed; nothing is computed yet."""
        self._directory, self._ids, self._predict, self._group = crop_directory, list(study_ids), predict, group
        self._ready: dict[str, Prediction] = {}

    def of(self, study_id: str) -> Prediction:
        """Return the prediction of one study.

        Raises:
            IntermediateError: This study's crop is gone or damaged.
        """
        if study_id not in self._ready:
            self._predict_from(study_id)
        return self._ready.pop(study_id)

    def _predict_from(self, study_id: str) -> None:
        start = self._ids.index(study_id)
        crops = {study_id: self._read(study_id)}
        for other in self._ids[start + 1 : start + self._group]:
            with suppress(IntermediateError):  # it is read again, and its error reported, in its own turn
                crops[other] = self._read(other)
        seen = self._predict([study.crop for study in crops.values()])
        self._ready = {name: Prediction(one, crops[name]) for name, one in zip(crops, seen, strict=True)}

    def _read(self, study_id: str) -> CroppedStudy:
        return read_crop(study_folder(self._directory, study_id))


class Segmenter:
    """A network with its decision, in one of its modes."""

    def __init__(self, trained: TrainedNetwork, *, fast: bool) -> None:
        """Keep them.

        Args:
            trained: The segmentation network.
            fast: Look at each slice once, not in several views.
        """
        self._trained, self._fast = trained, fast
        self._decision = Decision.from_spec(trained.spec.decision)

    def predict(self, crops: list[Volume]) -> list[CropPrediction]:
        """Return what the network sees in each crop."""
        return segment_crops(crops, self._trained, fast=self._fast)

    def segment(self, prediction: Prediction, folder: StudyFolder) -> None:
        """Write labels.nii.gz, on the full grid, and segment.json into a study's folder.

        Raises:
            ModelError: The network saw no myocardium.
        """
        cropped = prediction.cropped
        segmentation = paste_back(prediction.seen, cropped.crop, cropped.full, self._decision)
        folder.write_volume(StudyFile.LABELS, segmentation.labels)
        has_scar = bool(region_mask(segmentation.labels.array, "scar").any())
        doubts = find_doubts(prediction.seen.probability, segmentation.confidence, self._decision, has_scar=has_scar)
        record = SegmentRecord(
            study_id=folder.study_id,
            confidence=segmentation.confidence,
            model=self._trained.spec.name,
            model_sha256=self._trained.sha256,
            segment_mode="fast" if self._fast else "default",
            device=device_name(self._trained),
            flags=(*cropped.flags, *segmentation.flags, *doubts),
        )
        folder.write_record(StudyFile.SEGMENT_RECORD, record)
