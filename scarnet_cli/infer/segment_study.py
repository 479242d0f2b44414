"""Segmenting one study, while the slices of several go through the network together."""

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
    """Output of the network for one study, with its input.

    Attributes:
        seen: Probabilities on the crop's grid, and the scar to expect.
        cropped: Output of CROP for the study.
    """

    seen: CropPrediction
    cropped: CroppedStudy


class GroupedPredictions:
    """Predictions for many studies, computed a group at a time when the first study of the group is requested.

    A crop that cannot be read does not stop its group: the error is raised when that study is requested.
    """

    def __init__(
        self,
        crop_directory: Path,
        study_ids: Sequence[str],
        predict: Callable[[list[Volume]], list[CropPrediction]],
        group: int,
    ) -> None:
        """Store the arguments; nothing is computed yet.

        Args:
            crop_directory: Output directory of CROP.
            study_ids: Studies in the order in which they will be requested.
            predict: Returns the predictions for a list of crops.
            group: Number of studies in a group.
        """
        self._directory, self._ids, self._predict, self._group = crop_directory, list(study_ids), predict, group
        self._ready: dict[str, Prediction] = {}

    def of(self, study_id: str) -> Prediction:
        """Return the prediction for one study, once: it is not kept.

        Raises:
            IntermediateError: This study's crop is missing or damaged.
        """
        if study_id not in self._ready:
            self._predict_from(study_id)
        return self._ready.pop(study_id)

    def _predict_from(self, study_id: str) -> None:
        start = self._ids.index(study_id)
        crops = {study_id: self._read(study_id)}
        for other in self._ids[start + 1 : start + self._group]:
            with suppress(IntermediateError):  # the study's own turn reads the crop again and reports the error
                crops[other] = self._read(other)
        seen = self._predict([study.crop for study in crops.values()])
        self._ready = {name: Prediction(one, crops[name]) for name, one in zip(crops, seen, strict=True)}

    def _read(self, study_id: str) -> CroppedStudy:
        return read_crop(study_folder(self._directory, study_id))


class Segmenter:
    """A segmentation network with its decision, in default or fast mode."""

    def __init__(self, trained: TrainedNetwork, *, fast: bool) -> None:
        """Store the network.

        Args:
            trained: The segmentation network.
            fast: Show each slice once, not in several views.
        """
        self._trained, self._fast = trained, fast
        self._decision = Decision.from_spec(trained.spec.decision)

    def predict(self, crops: list[Volume]) -> list[CropPrediction]:
        """Return the prediction for each (z, y, x) crop."""
        return segment_crops(crops, self._trained, fast=self._fast)

    def segment(self, prediction: Prediction, folder: StudyFolder) -> None:
        """Write labels.nii.gz, on the full grid, and segment.json into a study's folder.

        Raises:
            ModelError: The network found no myocardium.
        """
        cropped = prediction.cropped
        segmentation = paste_back(prediction.seen, cropped.crop, cropped.full, self._decision)
        folder.write_volume(StudyFile.LABELS, segmentation.labels)
        has_scar = bool(region_mask(segmentation.labels.array, "scar").any())
        certainty = segmentation.certainty
        doubts = find_doubts(prediction.seen.probability, certainty, self._decision, has_scar=has_scar)
        record = SegmentRecord(
            study_id=folder.study_id,
            confidence=round(certainty.confidence, 4),
            scar_probability=certainty.scar_probability,
            margins=certainty.margins,
            model=self._trained.spec.name,
            model_sha256=self._trained.sha256,
            segment_mode="fast" if self._fast else "default",
            device=device_name(self._trained),
            flags=(*cropped.flags, *segmentation.flags, *doubts),
            localiser_sha256=cropped.localiser_sha256,
            decision_scar_share=self._decision.scar_share,
            decision_least_scar_percent=self._decision.least_scar_percent,
            decision_least_expected_scar_percent=self._decision.least_expected_scar_percent,
            decision_least_mvo_percent=self._decision.least_mvo_percent,
        )
        folder.write_record(StudyFile.SEGMENT_RECORD, record)
