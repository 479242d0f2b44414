"""Stage SEGMENT: crops in, label maps on the full grid out."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.cohort.batch import run_studies
from scarnet_cli.cohort.failures import Failure
from scarnet_cli.errors import ScarnetError
from scarnet_cli.files import read_json, write_json
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume, write_nifti
from scarnet_cli.infer.crop_stage import CROP_RECORD, read_crop, study_ids_in
from scarnet_cli.infer.decision import Decision
from scarnet_cli.infer.doubts import find_doubts
from scarnet_cli.infer.segment import paste_back, segment_crops
from scarnet_cli.model.weights import best_device, load_weights

# Studies whose slices go through the network together: enough to fill a GPU's batches, few enough for 1 GiB.
GROUP: Final = 16

Probabilities = list[NDArray[np.float32]]


class GroupedPredictions:
    """Probabilities of many studies, computed a group at a time when the first of the group is asked for.

    A study whose crop cannot be read does not stop its group: the error is raised when that study is asked for.
    """

    def __init__(
        self,
        crop_directory: Path,
        study_ids: Sequence[str],
        predict: Callable[[list[Volume]], Probabilities],
        group: int,
    ) -> None:
        """Keep what is needed; nothing is computed yet."""
        self._directory, self._ids, self._predict, self._group = crop_directory, list(study_ids), predict, group
        self._ready: dict[str, NDArray[np.float32]] = {}

    def of(self, study_id: str) -> tuple[NDArray[np.float32], Volume, Volume]:
        """Return (class, z, y, x) probabilities on the crop's grid, the crop, and the full grid.

        Raises:
            GeometryError: This study's crop cannot be read.
        """
        crop, full = read_crop(self._directory / "studies" / study_id)
        if study_id not in self._ready:
            self._predict_from(study_id)
        return self._ready.pop(study_id), crop, full

    def _predict_from(self, study_id: str) -> None:
        start = self._ids.index(study_id)
        crops: dict[str, Volume] = {}
        for other in self._ids[start : start + self._group]:
            try:
                crops[other] = read_crop(self._directory / "studies" / other)[0]
            except (ScarnetError, OSError, KeyError, ValueError):
                continue  # it is read again, and its error reported, in its own turn
        self._ready = dict(zip(crops, self._predict(list(crops.values())), strict=True))


def segment_studies(
    cropped: Path, weights: Path, out: Path, *, fast: bool = False, isolate: bool = False
) -> list[Failure]:
    """Segment every study of a batch; writes studies/<id>/{labels.nii.gz, segment.json} and failures.parquet.

    Args:
        cropped: Output directory of `crop`.
        weights: The segmentation network's weights.
        out: Output directory.
        fast: Look at each slice once, not in six views: a sixth of the work, a little less precise.
        isolate: Run each study in a child process.

    Raises:
        ModelError: The weights cannot be used.
    """
    trained = load_weights(weights, "cpu" if isolate else best_device())
    decision = Decision.from_spec(trained.spec.decision)
    study_ids = study_ids_in(cropped)
    predict = partial(segment_crops, trained=trained, fast=fast)
    predictions = GroupedPredictions(cropped, study_ids, predict, group=1 if isolate else GROUP)

    def work(study_id: str) -> None:
        probability, crop, full = predictions.of(study_id)
        segmentation = paste_back(probability, crop, full, decision)
        folder = out / "studies" / study_id
        write_nifti(segmentation.labels, folder / "labels.nii.gz")
        has_scar = bool(region_mask(segmentation.labels.array, "scar").any())
        doubts = find_doubts(probability, segmentation.confidence, decision, has_scar=has_scar)
        crop_flags = read_json(cropped / "studies" / study_id / CROP_RECORD)["flags"]
        record = {
            "study_id": study_id,
            "confidence": segmentation.confidence,
            "model": trained.spec.name,
            "model_sha256": trained.sha256,
            "segment_mode": "fast" if fast else "default",
            "flags": [*crop_flags, *segmentation.flags, *doubts],
        }
        write_json(folder / "segment.json", record)

    return run_studies("segment", study_ids, work, out, isolate=isolate)
