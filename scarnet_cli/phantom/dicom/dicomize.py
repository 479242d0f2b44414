"""Turn volumes, from NIfTI for example, into DICOM studies written in the manner of scanners."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from scarnet_cli.errors import InputError
from scarnet_cli.files import write_bytes
from scarnet_cli.image.volume import Volume, write_nifti
from scarnet_cli.phantom.dicom.habits import Role, Vendor, draw_habit, without_twin
from scarnet_cli.phantom.dicom.write import StudyPlan, refuse_other_studies, write_study
from scarnet_cli.progress import Progress, no_progress

_MIN_SLICES: Final = 2


@dataclass(frozen=True, slots=True)
class NamedVolume:
    """A stack to write, its contrast, and an expert's label map on the same grid, or None."""

    image: Volume
    component: Role = "psir"
    reference: Volume | None = None


def write_volumes(
    cases: Mapping[str, Callable[[], NamedVolume]],
    out: Path,
    *,
    seed: int,
    vendor: Vendor | None,
    progress: Progress = no_progress,
) -> None:
    """Write each case as a DICOM study below out/dicom, in its own geometry and with its own values.

    Also writes out/cases.csv (study_id, case) and out/reference/<study_id>.nii.gz. How a case is written depends only
    on its name, `seed` and `vendor`. Whole numbers are kept exactly, others to within half of the rescale slope.

    Raises:
        InputError: A volume has a single slice, or out/dicom holds something other than these studies.
    """
    digests = {case: hashlib.sha256(f"volume/{seed}/{vendor}/{case}".encode()).digest() for case in cases}
    refuse_other_studies(out / "dicom", {_folder(digest) for digest in digests.values()})
    rows = []
    with progress("studies", len(cases)) as advance:
        for case, read in cases.items():
            volume = read()
            if len(volume.image.array) < _MIN_SLICES:
                message = f"{case} has one slice; a stack of {_MIN_SLICES} or more is needed."
                raise InputError("not_a_stack", message)
            rows.append((_write(volume, out, digests[case], vendor), case))
            advance()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("study_id", "case"), *sorted(rows)])
    write_bytes(out / "cases.csv", text.getvalue().encode())


def _folder(digest: bytes) -> str:
    return digest.hex()[:8]


def _write(volume: NamedVolume, out: Path, digest: bytes, vendor: Vendor | None) -> str:
    """Write one study and return its id."""
    habit = without_twin(draw_habit(np.random.default_rng(list(digest)), vendor))
    patient = f"CASE^{digest.hex()[-6:].upper()}"
    plan = StudyPlan(digest.hex(), habit, volume.image, volume.component, patient=patient)
    written = write_study(plan, out / "dicom" / _folder(digest))
    if volume.reference is not None:
        write_nifti(volume.reference, out / "reference" / f"{written.study_id}.nii.gz")
    return written.study_id
