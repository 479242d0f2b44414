"""Print how often the heart is found in held-out cases, as they are and disturbed, in Markdown.

.venv/bin/python -m benchmarks.localiser CASES RUN [--fold 0 --fold 1]

RUN/fold_K/weights.safetensors is the localiser of fold K, made by `scarnet train CASES --model localiser --fold K`.
A heart is found where the crop holds all but a fiftieth of the expert's myocardium.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.benchmark.disturbances import DISTURBANCES
from scarnet_cli.benchmark.robustness import Trial, trials
from scarnet_cli.benchmark.robustness_page import titles_of
from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.cases.folds import deal_cases
from scarnet_cli.cases.label_values import read_label_values
from scarnet_cli.errors import ModelError
from scarnet_cli.image.labels import Label
from scarnet_cli.infer.localise import CROP_PIXEL_MM, CROP_SIZE, locate_heart
from scarnet_cli.model.weights import TrainedNetwork, load_weights

_FOUND: Final = 0.98


def share_in_crop(case: Case, localiser: TrainedNetwork) -> float:
    """Return the share of the expert's myocardium, scar included, that the crop holds; 0 where no heart is found."""
    try:
        centre, _ = locate_heart(case.image, localiser)
    except ModelError:
        return 0.0
    wall = np.argwhere(case.labels.array >= Label.MYOCARDIUM)[:, 1:] * case.image.spacing_zyx_mm[1:]
    return float((abs(wall - centre) <= CROP_SIZE * CROP_PIXEL_MM / 2).all(axis=1).mean())


def row(trial: Trial, shares: NDArray[np.float64]) -> str:
    """Return a trial's row of the table."""
    name, severity = titles_of(trial.disturbance, trial.severity)
    return f"| {name} | {severity} | {(shares >= _FOUND).sum()} of {len(shares)} | {100 * shares.mean():.1f} |"


def shares_of(trial: Trial, folds: Iterable[tuple[TrainedNetwork, Sequence[Case]]]) -> NDArray[np.float64]:
    """Return the share in the crop of each case, disturbed, by the localiser that has not seen it."""
    return np.array([share_in_crop(trial.disturb(case, 0), network) for network, cases in folds for case in cases])


def main() -> None:
    """Read the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="Folder in EMIDEC's layout, or a table of cases.")
    parser.add_argument("run", type=Path, help="Folder of the trainings of all folds.")
    parser.add_argument("--fold", type=int, action="append", help="These folds only.")
    parser.add_argument("--label-values", type=Path, help="CSV table (value,label), as for scarnet train.")
    given = parser.parse_args()
    cases = read_cases(given.cases, read_label_values(given.label_values) if given.label_values else None)
    held_out = [[case for case in cases if case.case_id in ids] for ids in deal_cases(cases, 5)]
    weights = [given.run / f"fold_{fold}" / "weights.safetensors" for fold in range(5)]
    folds = [(load_weights(weights[fold]), held_out[fold]) for fold in given.fold or range(5)]
    sys.stdout.write("| disturbance | severity | hearts found | myocardium in the crop, % |\n|---|---|---|---|\n")
    for trial in [trial for trial in trials(list(DISTURBANCES)) if not trial.repeat]:
        sys.stdout.write(f"{row(trial, shares_of(trial, folds))}\n")


if __name__ == "__main__":
    main()
