"""Print the agreement of scar by signal thresholds with the experts' scar, within their myocardium, in Markdown.

.venv/bin/python -m benchmarks.method_agreement EMIDEC
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.evaluate.region import dice
from scarnet_cli.quantify.orientation import find_frame
from scarnet_cli.quantify.parts import percent_of
from scarnet_cli.quantify.regions import Regions, find_regions
from scarnet_cli.quantify.remote import find_remotes
from scarnet_cli.quantify.thresholds import N_SDS, find_threshold_masks


@dataclass(frozen=True, slots=True)
class Pair:
    """One method's and the expert's scar in one case, in percent of the myocardium, and their Dice."""

    ours: float
    expert: float
    dice: float


def method_masks(regions: Regions) -> dict[str, NDArray[np.bool_]]:
    """Return the (z, y, x) scar masks of the seven methods; without a remote region, those that need none."""
    masks = find_threshold_masks(regions, find_remotes(regions, find_frame(regions)))
    n_sd = {f"{n}-SD": masks.n_sd[n] for n in N_SDS} if masks.n_sd else {}
    core = {} if masks.border is None else {"core and border": masks.core | masks.border}
    return {**n_sd, "FWHM": masks.fwhm, **core}


def compare(cases: Sequence[Case]) -> dict[str, list[Pair]]:
    """Return each method's pairs, one for each case in which it is defined."""
    pairs: dict[str, list[Pair]] = {}
    for case in cases:
        regions = find_regions(case.image, case.labels)
        expert = percent_of(regions.scar, regions.myocardium)
        for name, mask in method_masks(regions).items():
            ours = percent_of(mask, regions.myocardium)
            if ours is not None and expert is not None:
                pairs.setdefault(name, []).append(Pair(ours, expert, dice(mask, regions.scar)))
    return pairs


def row(name: str, pairs: Sequence[Pair]) -> str:
    """Return a method's row of the table."""
    whole = agreement([pair.ours for pair in pairs], [pair.expert for pair in pairs])
    scarred = [pair for pair in pairs if pair.expert > 0]
    limits = f"{whole.lower_limit:+.1f} to {whole.upper_limit:+.1f}" if whole.lower_limit is not None else ""
    cells = (
        f"{mean(pair.ours for pair in pairs):.1f}",
        f"{whole.bias:+.1f}",
        limits,
        f"{whole.cov_percent:.0f}" if whole.cov_percent is not None else "",
        f"{whole.icc:.2f}" if whole.icc is not None else "",
        f"{mean(pair.ours - pair.expert for pair in scarred):+.1f}",
        f"{mean(pair.dice for pair in scarred):.2f}",
    )
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Read the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="Folder in EMIDEC's layout, or a table of cases.")
    pairs = compare(read_cases(parser.parse_args().cases))
    experts = next(iter(pairs.values()))
    scarred = sum(pair.expert > 0 for pair in experts)
    head = ("method", "mean", "bias", "limits", "CoV, %", "ICC", f"bias, {scarred} with scar", "Dice, with scar")
    lines = [
        f"{len(experts)} cases; the experts' mean is {mean(pair.expert for pair in experts):.1f} %.\n",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *(row(name, found) for name, found in pairs.items()),
    ]
    print("\n".join(lines))  # noqa: T201 (a tool's output)


if __name__ == "__main__":
    main()
