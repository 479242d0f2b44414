"""Write a cohort of phantoms as DICOM studies, with a table of their true measures."""

import hashlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from scarnet_cli.files import atomic_path
from scarnet_cli.image.volume import Volume, write_nifti
from scarnet_cli.phantom.dicom.broken import BREAKS
from scarnet_cli.phantom.dicom.habits import VENDORS, Habit, Vendor, draw_habit
from scarnet_cli.phantom.dicom.write import StudyPlan, refuse_other_studies, write_study
from scarnet_cli.phantom.draw import draw_spec
from scarnet_cli.phantom.make import PSIR_AIR, make_phantom
from scarnet_cli.progress import Progress, no_progress

# With fewer studies per process, another process costs more time than it saves.
_STUDIES_PER_PROCESS: Final = 6
_SEED_STEP: Final = 1_000_000
_PHILIPS_UNIT: Final = 0.37

_TRUTH_SCHEMA: Final = pa.schema(
    [
        ("study_id", pa.string()),
        ("study_instance_uid", pa.string()),
        ("seed", pa.int64()),
        ("vendor", pa.string()),
        ("component", pa.string()),
        ("encoding", pa.string()),
        ("series_per_slice", pa.bool_()),
        ("slices", pa.int64()),
        ("broken", pa.string()),
        ("scar_percent_lv", pa.float64()),
        ("mvo_percent_lv", pa.float64()),
        ("myocardium_ml", pa.float64()),
        ("scar_ml", pa.float64()),
        ("mvo_ml", pa.float64()),
        ("blood_pool_ml", pa.float64()),
        ("transmurality", pa.float64()),
        ("rv_insertion_x_mm", pa.float64()),
        ("rv_insertion_y_mm", pa.float64()),
        ("rv_insertion_z_mm", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Task:
    """One study to make; `broken` is a key of `BREAKS`."""

    number: int
    seed: int
    broken: str | None
    out: Path

    @property
    def folder(self) -> str:
        """Name of the study's folder: a hash, so that studies with other content have other folders."""
        return hashlib.sha256(f"{self.seed}/{self.broken}".encode()).hexdigest()[:8]


def write_cohort(
    studies: int, out: Path, *, seed: int = 0, broken: int = 0, progress: Progress = no_progress
) -> pa.Table:
    """Write `studies` phantoms, drawn from `seed`, below `out`; return the table of their true measures.

    Writes out/dicom/<folder>/..., out/truth/<study_id>.nii.gz, out/truth.parquet and out/truth.csv. The last `broken`
    studies are broken on purpose. Study number n, unless broken, is the same in a cohort of any size. `progress`
    follows the studies.

    Raises:
        InputError: out/dicom holds something other than these studies.
    """
    names = list(BREAKS)
    first_broken = studies - broken
    tasks = [
        _Task(n, seed * _SEED_STEP + n, names[(n - first_broken) % len(names)] if n >= first_broken else None, out)
        for n in range(studies)
    ]
    refuse_other_studies(out / "dicom", {task.folder for task in tasks})
    rows = []
    with progress("phantoms", studies) as advance:
        for row in _map(tasks):
            rows.append(row)
            advance()
    table = pa.Table.from_pylist(sorted(rows, key=lambda r: str(r["study_id"])), schema=_TRUTH_SCHEMA)
    with atomic_path(out / "truth.parquet") as path:
        pyarrow.parquet.write_table(table, path)
    with atomic_path(out / "truth.csv") as path:
        pyarrow.csv.write_csv(table, path)
    return table


def _map(tasks: list[_Task]) -> Iterator[dict[str, object]]:
    workers = min(os.cpu_count() or 1, len(tasks) // _STUDIES_PER_PROCESS)
    if workers <= 1:
        yield from map(_write_study, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_write_study, tasks, chunksize=1)


def _write_study(task: _Task) -> dict[str, object]:
    """Make one study and return its row of the truth table."""
    habit = _habit(task)
    spec = draw_spec(task.seed)
    phantom = make_phantom(task.seed, spec)
    component = spec.contrast.component
    plan = StudyPlan(
        key=f"phantom/{task.seed}/{task.broken}",
        habit=habit,
        image=scanner_values(phantom.image, component, habit.vendor),
        component=component,
        # A magnitude study has no phase-sensitive twin, which would otherwise be the stack to measure.
        twin=phantom.twin if component == "psir" else None,
        thickness_mm=spec.scan.thickness_mm,
        patient=f"PHANTOM^{task.number:04d}",
    )
    written = write_study(plan, task.out / "dicom" / task.folder)
    if task.broken is not None:
        BREAKS[task.broken](written)
    write_nifti(phantom.labels, task.out / "truth" / f"{written.study_id}.nii.gz")
    truth = asdict(phantom.truth)
    x, y, z = truth.pop("rv_insertion_xyz_mm")
    measures = {k: round(v, 4) if isinstance(v, float) else v for k, v in truth.items()}
    return {
        "study_id": written.study_id,
        "study_instance_uid": written.study_instance_uid,
        "vendor": habit.vendor,
        "encoding": habit.encoding,
        "series_per_slice": habit.series_per_slice,
        "slices": len(phantom.image.array),
        "broken": task.broken,
        "rv_insertion_x_mm": round(x, 3),
        "rv_insertion_y_mm": round(y, 3),
        "rv_insertion_z_mm": round(z, 3),
        **measures,
    }


def _habit(task: _Task) -> Habit:
    """Return the study's habit. Vendors take turns; a broken study has no second stack that could be measured."""
    rng = np.random.default_rng([task.seed, 2])
    habit = draw_habit(rng, VENDORS[task.number % len(VENDORS)])
    if task.broken is None:
        return habit
    distractors = tuple(dict.fromkeys((*habit.distractors, "localiser", "cine")))
    return replace(
        habit, twin="none", encoding="explicit", distractors=tuple(d for d in distractors if d != "long_axis")
    )


def scanner_values(image: Volume, component: str, vendor: Vendor) -> Volume:
    """Return a phantom with values on a vendor's scale: Siemens unsigned, GE signed, Philips signed and fractional.

    Magnitude values stay as they are.
    """
    if component != "psir" or vendor == "siemens":
        return image
    signed = image.array - PSIR_AIR
    return image.with_array(signed if vendor == "ge" else signed * _PHILIPS_UNIT)
