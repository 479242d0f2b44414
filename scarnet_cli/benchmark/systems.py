"""Systems that can be scored because they label cases: trained networks, box-prompted networks, existing label maps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.cases.cases import Case
from scarnet_cli.errors import InputError, ModelError
from scarnet_cli.image.labels import Label, region_mask
from scarnet_cli.image.resample import resample_classes, resample_to
from scarnet_cli.image.volume import Volume, read_nifti, require_same_grid
from scarnet_cli.infer.decision import undecided_labels
from scarnet_cli.infer.evidence import Evidence
from scarnet_cli.infer.localise import crop_heart
from scarnet_cli.infer.segment import segment_crops
from scarnet_cli.model.checkpoints import load_lite_medsam
from scarnet_cli.model.medsam import Box, MedSam
from scarnet_cli.model.pretrained import LITE_MEDSAM
from scarnet_cli.model.weights import TrainedNetwork, best_device, load_weights
from scarnet_cli.train.loop import WEIGHTS
from scarnet_cli.train.presets import PRESETS

SCAR_SHARES: Final = (0.3, 0.4, 0.5, 0.6, 0.7)
# The scar share under which a system without that threshold gives its label map.
FINAL_SHARE: Final = 0.5
# Folder of a fold's label maps, if they were not made by one of our networks.
LABELS: Final = "labels"

# (y, x) slice and boxes in it -> one (y, x) mask per box.
SegmentBoxes = Callable[[NDArray[np.float32], Sequence[Box]], Sequence[NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A system's output for a case.

    Attributes:
        labels: Scar share (see `infer.decision.Decision`) -> (z, y, x) labels on the case's grid, before faint scar is
            dropped. A system without such a threshold has one entry, and nothing is chosen for it.
        inside_percent: Percentage of the expert's myocardium inside the system's crop; None without a crop.
        evidence: What the system's probabilities say; None for one without.
    """

    labels: dict[float, NDArray[np.uint8]]
    inside_percent: float | None = None
    evidence: Evidence | None = None


class System(Protocol):
    """A system that labels cases; a new kind of system needs only this method."""

    def segment(self, case: Case) -> Proposal:
        """Return label maps on the case's grid; only prompts may use the expert's labels."""
        ...


@dataclass(frozen=True, slots=True)
class CropAndSegment:
    """The pipeline's method: the localiser finds the heart and a network labels the crop; no heart, no labels."""

    localiser: TrainedNetwork
    segmenter: TrainedNetwork
    shares: tuple[float, ...] = SCAR_SHARES

    def segment(self, case: Case) -> Proposal:
        """Return the labels for each of the scar shares."""
        try:
            crop = crop_heart(case.image, self.localiser).image
        except ModelError:
            empty = np.zeros(case.image.shape_zyx, np.uint8)
            return Proposal(dict.fromkeys(self.shares, empty), inside_percent=0.0, evidence=Evidence())
        seen = segment_crops([crop], self.segmenter)[0]
        probability = resample_classes(seen.probability, crop, case.image)
        labels = {share: undecided_labels(probability, share) for share in self.shares}
        inside = _inside_percent(region_mask(case.labels.array, "myocardium"), crop, case.image)
        return Proposal(labels, inside, seen.evidence)


@dataclass(frozen=True, slots=True)
class PromptedNetwork:
    """A network prompted by the expert's bounding box of each region, slice by slice, as MedSAM is evaluated.

    The boxes reveal where a region is and where there is none, which no other system is told.
    """

    segment_boxes: SegmentBoxes

    def segment(self, case: Case) -> Proposal:
        """Return one label map; regions are segmented from the outer to the inner, and later ones overwrite."""
        wanted = {value: region_mask(case.labels.array, region) for region, value in _PROMPTED.items()}
        labels = np.zeros(case.image.shape_zyx, np.uint8)
        for z, picture in enumerate(case.image.array.astype(np.float32)):
            boxes = {value: bounding_box(mask[z]) for value, mask in wanted.items() if mask[z].any()}
            if boxes:
                masks = self.segment_boxes(picture, list(boxes.values()))
                for value, mask in zip(boxes, masks, strict=True):
                    labels[z][mask] = value
        return Proposal({FINAL_SHARE: labels})


_PROMPTED: Final = {
    "myocardium": Label.MYOCARDIUM,
    "blood_pool": Label.BLOOD_POOL,
    "scar": Label.SCAR,
    "mvo": Label.MVO,
}


@dataclass(frozen=True, slots=True)
class LabelMaps:
    """Label maps from elsewhere: a folder of <case id>.nii.gz on the cases' grids."""

    folder: Path

    def segment(self, case: Case) -> Proposal:
        """Return the case's label map.

        Raises:
            InputError: It is missing, or has values that are not in `Label`.
            GeometryError: It is on another grid.
        """
        path = self.folder / f"{case.case_id}.nii.gz"
        if not path.is_file():
            message = (
                f"There is no label map {path.name} in the folder; predict the case, or leave it out of the cases."
            )
            raise InputError("missing_labels", message)
        labels = read_nifti(path)
        require_same_grid(case.image, labels, case.case_id)
        unknown = sorted(set(np.unique(labels.array).tolist()) - set(Label))
        if unknown:
            message = f"{case.case_id}: label values {unknown} are not among {[int(v) for v in Label]}."
            raise InputError("unknown_label", message)
        return Proposal({FINAL_SHARE: labels.array.astype(np.uint8)})


def fold_system(run: Path, localise_run: Path | None, fold: int) -> System:
    """Return the system of a run's fold: its trained network with the same fold's localiser, or its label maps.

    Args:
        run: Folder with fold_0, fold_1 ..., each with weights.safetensors, or labels/<case id>.nii.gz.
        localise_run: The localiser's run; label maps need none.
        fold: The fold held out.

    Raises:
        ModelError: A network is not trained yet, or its weights are unusable.
        InputError: A network is given without a localiser.
    """
    device = best_device()
    fold_path = run / f"fold_{fold}"
    if (fold_path / LABELS).is_dir():
        return LabelMaps(fold_path / LABELS)
    segmenter = load_weights(fold_path / WEIGHTS, device)
    if localise_run is None:
        message = f"{run.name} is a network, which labels the crop round the heart; give --localise-run too."
        raise InputError("no_localiser", message)
    return CropAndSegment(load_weights(localise_run / f"fold_{fold}" / WEIGHTS, device), segmenter)


def load_prompted(given: str) -> TrainedNetwork:
    """Return MedSAM: the published LiteMedSAM if `given` is its name, else the network of that weights file.

    Raises:
        ModelError: The weights are unusable, or those of a network that takes no boxes.
    """
    device = best_device()
    if given != LITE_MEDSAM:
        trained = load_weights(Path(given), device)
        require_box(trained)
        return trained
    return load_lite_medsam(PRESETS["medsam"].spec, device)


def require_box(trained: TrainedNetwork) -> MedSam:
    """Return the network, if it takes boxes.

    Raises:
        ModelError: It takes none.
    """
    if not isinstance(trained.network, MedSam):
        message = (
            f"{trained.spec.name} takes no box; `scarnet weights import CHECKPOINT --model medsam` makes weights of "
            "MedSAM, which does."
        )
        raise ModelError("wrong_weights", message)
    return trained.network


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """Return the first and last row and the first and last column of a (y, x) mask, which must not be empty."""
    rows, columns = np.nonzero(mask)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def _inside_percent(myocardium: NDArray[np.bool_], crop: Volume, image: Volume) -> float:
    """Return the percentage of a (z, y, x) mask on the image's grid that lies inside the crop."""
    inside = resample_to(crop.with_array(np.ones(crop.shape_zyx, np.float32)), image, "nearest").array > 0
    return 100.0 * np.count_nonzero(myocardium & inside) / max(np.count_nonzero(myocardium), 1)
