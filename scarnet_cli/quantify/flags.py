"""Which flags (scarnet_cli.cohort.flags) hold for the labels and the signal of a study."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scarnet_cli.cohort.flags import FLAGS
from scarnet_cli.quantify.regions import Regions, connected_pieces
from scarnet_cli.quantify.remote import Remote
from scarnet_cli.quantify.thresholds import ThresholdMasks

_MIN_SLICES: Final = 3
_PIECE_PART: Final = 0.05


def find_flags(regions: Regions, remotes: Sequence[Remote | None], masks: ThresholdMasks | None) -> tuple[str, ...]:
    """Return the codes that hold for a study, in the order of `FLAGS`.

    Args:
        regions: The study.
        remotes: Remote region of each slice; empty without myocardium.
        masks: The thresholds' findings; None without myocardium.
    """
    if masks is None:
        return ("no_myocardium",)
    with_wall = np.flatnonzero(regions.myocardium.any(axis=(1, 2)))
    borrowed = any(remote is not None and remote.slice_index != index for index, remote in enumerate(remotes))
    raised = {
        "no_cavity": not regions.cavity.any(),
        "no_scar": not regions.scar.any(),
        "no_remote": masks.n_sd is None,
        "remote_borrowed": borrowed,
        "mvo_without_scar": _mvo_without_scar(regions),
        "few_slices": with_wall.size < _MIN_SLICES,
        "missing_slice": with_wall[-1] - with_wall[0] + 1 > with_wall.size,
        "myocardium_in_pieces": _in_pieces(regions),
    }
    return tuple(code for code in FLAGS if raised.get(code, False))


def _mvo_without_scar(regions: Regions) -> bool:
    pieces, count = connected_pieces(regions.scar)
    with_scar = np.unique(pieces[regions.scar & ~regions.mvo])
    return len(with_scar) < count


def _in_pieces(regions: Regions) -> bool:
    pieces, count = connected_pieces(regions.myocardium)
    sizes = np.sort(np.bincount(pieces.ravel(), minlength=count + 1)[1:])
    return count > 1 and bool(sizes[-2] >= _PIECE_PART * sizes[-1])
