"""nnU-Net (Isensee 2021, doi:10.1038/s41592-020-01008-z) on our cases, with its own planning and training.

It takes its folders from environment variables and starts processes, so it runs in a process that does nothing else. It
gets only the training cases, because its plans depend on all cases that it gets.
"""

import math
import os
import tempfile
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch

from scarnet_cli.benchmark.systems import LABELS
from scarnet_cli.cases.cases import Case
from scarnet_cli.errors import ModelError
from scarnet_cli.files import atomic_path, write_json
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import write_nifti
from scarnet_cli.model.weights import best_device

_DATASET: Final = 1
_NAME: Final = f"Dataset{_DATASET:03d}_LGE"
_PLANS: Final = "nnUNetPlans"
# Slices are thick and may be shifted against each other by breathing.
_CONFIGURATION: Final = "2d"
# It trains on all cases that it gets, which exclude the held-out ones.
_FOLD: Final = "all"
_FOLDERS: Final = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")


def require_nnunet() -> None:
    """Check that nnU-Net is installed.

    Raises:
        ModelError: It is not installed.
    """
    if find_spec("nnunetv2") is None:
        message = "nnU-Net is not installed: pip install 'scarnet-cli[nnunet]', or leave nnunet out of the models."
        raise ModelError("no_nnunet", message)


def run_nnunet(training: Sequence[Case], held_out: Sequence[Case], epochs: int, out: Path) -> Path:
    """Train nnU-Net on some cases and label the others.

    An epoch is one pass over the training slices, as for the other models, instead of nnU-Net's 250 batches. There is
    no validation, since it would use the training cases. Everything else is as nnU-Net plans it.

    Args:
        training: Cases to plan and train on.
        held_out: Cases to label.
        epochs: Passes over the training slices.
        out: Receives labels/<case id>.nii.gz; holds temporary copies of images during the run.

    Returns:
        The folder of the label maps.

    Raises:
        ModelError: nnU-Net is not installed.
    """
    require_nnunet()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".nnunet") as folder:
        folder_path = Path(folder)
        os.environ.update({name: str(folder_path / name) for name in _FOLDERS})
        os.environ.setdefault("nnUNet_n_proc_DA", str(max(1, (os.cpu_count() or 1) - 1)))
        write_raw_data(folder_path / _FOLDERS[0] / _NAME, training)
        _plan_and_preprocess()
        batch_size = _train(epochs, sum(case.image.shape_zyx[0] for case in training))
        predicted = folder_path / "predicted"
        _predict(folder_path, held_out, predicted)
        for case in held_out:
            with atomic_path(out / LABELS / f"{case.case_id}.nii.gz") as temporary:
                temporary.write_bytes((predicted / f"{case.case_id}.nii.gz").read_bytes())
    write_json(out / "nnunet.json", {"configuration": _CONFIGURATION, "epochs": epochs, "batch_size": batch_size})
    return out / LABELS


def write_raw_data(folder: Path, cases: Sequence[Case]) -> None:
    """Write cases in nnU-Net's raw data layout: imagesTr, labelsTr and dataset.json."""
    for case in cases:
        write_nifti(case.image, folder / "imagesTr" / f"{case.case_id}_0000.nii.gz")
        write_nifti(case.labels, folder / "labelsTr" / f"{case.case_id}.nii.gz")
    dataset = {
        "channel_names": {"0": "LGE"},
        "labels": {label.name.lower(): int(label) for label in Label},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
    }
    write_json(folder / "dataset.json", dataset)


def _plan_and_preprocess() -> None:
    api = import_module("nnunetv2.experiment_planning.plan_and_preprocess_api")
    api.extract_fingerprints([_DATASET], num_processes=1)
    api.plan_experiments([_DATASET])
    api.preprocess([_DATASET], configurations=(_CONFIGURATION,), num_processes=(1,))


def _train(epochs: int, slices: int) -> int:
    """Train and return the batch size that nnU-Net planned."""
    get_trainer: Any = import_module("nnunetv2.run.run_training").get_trainer_from_args
    trainer = get_trainer(str(_DATASET), _CONFIGURATION, _FOLD, device=torch.device(best_device()))
    batch_size = int(trainer.configuration_manager.batch_size)
    trainer.num_epochs = epochs
    trainer.num_iterations_per_epoch = math.ceil(slices / batch_size)
    trainer.num_val_iterations_per_epoch = 1
    trainer.run_training()
    return batch_size


def _predict(folder_path: Path, cases: Sequence[Case], predicted: Path) -> None:
    module = import_module("nnunetv2.inference.predict_from_raw_data")
    device = best_device()
    predictor: Any = module.nnUNetPredictor(
        device=torch.device(device), perform_everything_on_device=device != "cpu", allow_tqdm=False
    )
    trained = folder_path / "nnUNet_results" / _NAME / f"nnUNetTrainer__{_PLANS}__{_CONFIGURATION}"
    predictor.initialize_from_trained_model_folder(str(trained), use_folds=(_FOLD,))
    images: list[list[str]] = []
    for case in cases:
        image = folder_path / "images" / f"{case.case_id}_0000.nii.gz"
        write_nifti(case.image, image)
        images.append([str(image)])
    predicted.mkdir()
    predictor.predict_from_files_sequential(images, [str(predicted / case.case_id) for case in cases])
