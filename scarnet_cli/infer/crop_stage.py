"""Stage CROP: converted studies in, crops round the heart out."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from scarnet_cli.cohort.batch import run_studies
from scarnet_cli.cohort.failures import Failure
from scarnet_cli.files import read_json, write_json
from scarnet_cli.image.volume import Volume, read_nifti, write_nifti
from scarnet_cli.infer.localise import SURE_CONFIDENCE, crop_heart
from scarnet_cli.model.weights import best_device, load_weights

HEART_CUT_OFF: Final = "heart_crop_cut_off"
HEART_UNCERTAIN: Final = "heart_uncertain"
CROP_IMAGE: Final = "crop.nii.gz"
CROP_RECORD: Final = "crop.json"


def crop_studies(converted: Path, weights: Path, out: Path, *, isolate: bool = False) -> list[Failure]:
    """Crop every study of a batch; writes studies/<id>/{crop.nii.gz, crop.json} and failures.parquet below `out`.

    Args:
        converted: Output directory of `convert`, holding studies/<id>/image.nii.gz.
        weights: The localiser's weights.
        out: Output directory.
        isolate: Run each study in a child process.

    Raises:
        ModelError: The weights cannot be used.
    """
    # In isolation the parent must not start CUDA: each child does so for itself.
    localiser = load_weights(weights, "cpu" if isolate else best_device())

    def work(study_id: str) -> None:
        image = read_nifti(converted / "studies" / study_id / "image.nii.gz")
        crop = crop_heart(image, localiser)
        folder = out / "studies" / study_id
        write_nifti(crop.image, folder / CROP_IMAGE)
        flags = [
            code
            for code, raised in ((HEART_CUT_OFF, crop.cut_off), (HEART_UNCERTAIN, crop.confidence < SURE_CONFIDENCE))
            if raised
        ]
        record = {"study_id": study_id, "confidence": round(crop.confidence, 4), "flags": flags, "grid": _grid(image)}
        write_json(folder / CROP_RECORD, record)

    return run_studies("crop", study_ids_in(converted), work, out, isolate=isolate)


def study_ids_in(stage_directory: Path) -> list[str]:
    """Return the studies that a stage finished, sorted."""
    return sorted(path.name for path in (stage_directory / "studies").glob("*") if path.is_dir())


def read_grid(record: dict[str, Any]) -> Volume:
    """Return the full grid that crop.json describes, as a volume of zeros."""
    grid = record["grid"]
    return Volume(
        np.zeros(grid["shape_zyx"], np.uint8),
        tuple(grid["spacing_zyx_mm"]),
        tuple(grid["origin_xyz_mm"]),
        np.array(grid["direction"]),
    )


def read_crop(folder: Path) -> tuple[Volume, Volume]:
    """Return the crop in a study's folder, and the full grid that it was cut from."""
    return read_nifti(folder / CROP_IMAGE), read_grid(read_json(folder / CROP_RECORD))


def _grid(image: Volume) -> dict[str, Any]:
    return {
        "shape_zyx": image.shape_zyx,
        "spacing_zyx_mm": image.spacing_zyx_mm,
        "origin_xyz_mm": image.origin_xyz_mm,
        "direction": image.direction.tolist(),
    }
