"""Time segmentation against the published ScarNet and against nnU-Net's predictor, by turns on the same studies.

.venv/bin/python -m benchmarks.segment_speed CASES [--count 5] [--runs 3]

CASES as for `scarnet evaluate`. Ours goes from a study's image to its label map on the same grid: localiser, crop,
network, pasting. The published ScarNet (ViT-B, crops of 128 x 128, one pass for each slice) is rebuilt without its
defects, and gets its crops for nothing. nnU-Net plans its 2D network on the cases and predicts by its defaults, five
folds and mirroring. Theirs have random weights, which cost as much as trained ones. Where nnU-Net is not installed
(extra `nnunet`), its row is left out.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from scarnet_cli.benchmark.nnunet import write_raw_data
from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.decision import Decision
from scarnet_cli.infer.localise import crop_heart
from scarnet_cli.infer.segment import paste_back, segment_crops
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.weights import best_device, load_weights
from scarnet_cli.train.presets import PRESETS

WEIGHTS: Final = Path(__file__).parents[1] / "weights"
_FOLDS: Final = 5
_LEAST_DATASET: Final = "Dataset001_LGE"

# Labels a study; its result is not looked at.
Segment = Callable[[Volume], object]


def ours(*, fast: bool) -> Segment:
    """Return the product's way from an image to its label map."""
    device = best_device()
    localiser = load_weights(WEIGHTS / "localiser.safetensors", device)
    scarnet = load_weights(WEIGHTS / "scarnet.safetensors", device)
    decision = Decision.from_spec(scarnet.spec.decision)

    def segment(image: Volume) -> object:
        crop = crop_heart(image, localiser).image
        (seen,) = segment_crops([crop], scarnet, fast=fast)
        return paste_back(seen, crop, image, decision)

    return segment


def published() -> Segment:
    """Return the published ScarNet's passes over a study's slices."""
    spec = PRESETS["scarnet_vit_b"].spec
    network = build_model(spec).eval().to(best_device())
    crop = torch.zeros(1, spec.in_channels, 128, 128, device=best_device())

    @torch.inference_mode()
    def segment(image: Volume) -> object:
        return [network(crop).argmax(dim=1).cpu() for _ in range(image.shape_zyx[0])]

    return segment


def nnunet(cases: list[Case], folder: Path) -> Segment:
    """Return nnU-Net's predictor with the 2D network that it plans for the cases."""
    os.environ.update({name: str(folder / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")})
    write_raw_data(folder / "nnUNet_raw" / _LEAST_DATASET, cases)
    api: Any = import_module("nnunetv2.experiment_planning.plan_and_preprocess_api")
    api.extract_fingerprints([1], num_processes=1)
    api.plan_experiments([1])
    planned = folder / "nnUNet_preprocessed" / _LEAST_DATASET
    plans: Any = import_module("nnunetv2.utilities.plans_handling.plans_handler").PlansManager(
        str(planned / "nnUNetPlans.json")
    )
    configuration = plans.get_configuration("2d")
    network = import_module("nnunetv2.utilities.get_network_from_plans").get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        5,
        deep_supervision=False,
    )
    device = best_device()
    predictor = import_module("nnunetv2.inference.predict_from_raw_data").nnUNetPredictor(
        device=torch.device(device), perform_everything_on_device=device != "cpu", allow_tqdm=False
    )
    dataset = json.loads((planned / "dataset.json").read_text())
    states = [network.state_dict()] * _FOLDS
    predictor.manual_initialization(network, plans, configuration, states, dataset, "nnUNetTrainer", (0, 1))

    def segment(image: Volume) -> object:
        properties = {"spacing": list(image.spacing_zyx_mm)}
        return predictor.predict_single_npy_array(image.array[None].astype(np.float32), properties)

    return segment


def main() -> None:
    """Time all by turns and print a row for each, with its ratio to ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--count", type=int, default=5, help="Number of cases, from the first.")
    parser.add_argument("--runs", type=int, default=3, help="Turns; the least time of each counts.")
    arguments = parser.parse_args()
    cases = read_cases(arguments.cases)[: arguments.count]
    slices = sum(case.image.shape_zyx[0] for case in cases)
    with tempfile.TemporaryDirectory() as folder:
        systems = {"ScarNet": ours(fast=False), "ScarNet --fast": ours(fast=True), "published ScarNet": published()}
        if find_spec("nnunetv2"):
            systems["nnU-Net 2D, five folds, mirrored"] = nnunet(cases, Path(folder))
        costs = time_by_turns(systems, [case.image for case in cases], arguments.runs)
    base_wall, base_cpu = costs["ScarNet"]
    for name, (wall, cpu) in costs.items():
        cells = (f"{wall / slices:.3f}", f"{cpu / slices:.3f}", f"{wall / base_wall:.2f}", f"{cpu / base_cpu:.2f}")
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


def time_by_turns(systems: dict[str, Segment], images: list[Volume], runs: int) -> dict[str, tuple[float, float]]:
    """Return name -> wall and CPU seconds for all images, the least of the runs; one study warms each up."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in systems}
    for segment in systems.values():
        segment(images[0])
    for _ in range(runs):
        for name, segment in systems.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for image in images:
                segment(image)
            costs[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: (min(w for w, _ in spent), min(c for _, c in spent)) for name, spent in costs.items()}


if __name__ == "__main__":
    main()
