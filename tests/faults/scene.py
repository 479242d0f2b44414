"""Where a fault is injected: a folder with a cohort and an undisturbed run of it, in a mount namespace of its own.

Every copy of the folder is mounted at one and the same path, so that Nextflow takes the tasks of the undisturbed run
for its own and a fault in a late stage need not wait for the early ones.
"""

import csv
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq
from nextflow_launch import BIN, REPOSITORY, environment

from faults.fault import Ended, EndedEarly
from faults.preload import Rule
from faults.same import differences, failed_studies
from scarnet_cli.files import read_json

STAGES = ("INDEX", "CONVERT", "CROP", "SEGMENT", "QUANTIFY", "EXPORT", "GATHER", "REPORT")
STUDY_STAGES = STAGES[1:6]
# A run takes about a minute; with retries of tasks that wait for their time limit some more.
PATIENCE_S = 600
# Of a task's time, Nextflow's wrapper takes this before the process runs that a signal goes to.
_WRAPPER_S = 0.3


@dataclass
class Running:
    """A run that has been started; Ctrl-C and kill reach its whole process group, as a terminal's do."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> Ended:
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return Ended(self.process.wait(), self.output + f"\nno end within {PATIENCE_S} s")
        return Ended(self.process.returncode, self.output)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill Nextflow alone: its tasks go on."""
        self.process.kill()


@dataclass(frozen=True)
class RunScene:
    """A folder in which runs are disturbed.

    Attributes:
        folder: Where the copy is mounted; holds cohort, launch, work, results, weights and tmp.
        reference: Output directory of the undisturbed run.
        library: The injector.
        logs: Folder for what runs print.
        name: Of the fault; random moments follow from it.
        dicom: The runs write results as DICOM, too.
    """

    folder: Path
    reference: Path
    library: Path
    logs: Path
    name: str
    dicom: bool = False

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def out(self) -> Path:
        return self.folder / "results"

    @property
    def input(self) -> Path:
        return self.folder / "cohort" / "dicom"

    @property
    def launch(self) -> Path:
        return self.folder / "launch"

    @property
    def names(self) -> dict[str, str]:
        """Path -> word, for what is shown."""
        words = {"OUT": self.out, "WORK": self.work, "INPUT": self.input, "LAUNCH": self.launch}
        words |= {"WEIGHTS": self.folder / "weights", "TMP": self.folder / "tmp", "HERE": self.folder}
        return {str(path): word for word, path in words.items()} | {str(REPOSITORY): "PIPELINE"}

    @cached_property
    def chance(self) -> random.Random:
        return random.Random(self.name)

    @property
    def batches(self) -> dict[str, list[str]]:
        """Batch -> its studies; the largest batch first."""
        rows = pq.read_table(next(self.reference.parent.glob("work/*/*/index/studies.parquet"))).to_pylist()
        batches: dict[str, list[str]] = {}
        for row in rows:
            batches.setdefault(row["batch"], []).append(row["study_id"])
        return dict(sorted(batches.items(), key=lambda item: -len(item[1])))

    @property
    def study(self) -> str:
        """A study that shares its batch with others."""
        return next(iter(self.batches.values()))[0]

    @property
    def files(self) -> list[Path]:
        """The input's files of that study that are read for its volume."""
        batch = next(self.reference.parent.glob(f"work/*/*/index/batches/{next(iter(self.batches))}.json"))
        entry = next(entry for entry in read_json(batch)["studies"] if entry["study_id"] == self.study)
        return [self.input / source["path"] for source in entry["sources"]]

    def arguments(self) -> list[str]:
        words = {"input": self.input, "outdir": self.out, "weights_dir": self.folder / "weights"}
        given = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        small = ["--fast", "--batch_min", "1", "--batch_max", "2", "--max_cpus", "2"]
        return ["-work-dir", str(self.work), *given, *small, *(["--dicom_results"] if self.dicom else [])]

    def trace(self) -> list[dict[str, str]]:
        """What ran in the undisturbed run."""
        with (self.reference / "pipeline_info" / "trace.txt").open(newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def begin_at(self, stage: str) -> None:
        """Forget what this stage and later ones made, and the output but for what INDEX remembers of the input."""
        gone = STAGES[STAGES.index(stage) :]
        for row in self.trace():
            if _stage_of(row) in gone:
                (folder,) = self.work.glob(f"{row['hash']}*")
                shutil.rmtree(folder)
        for path in self.out.iterdir():
            if path.name != "pipeline_info":
                shutil.rmtree(path)

    def begin_anew(self) -> None:
        """Forget the undisturbed run."""
        for folder in (self.work, self.out, self.launch):
            empty(folder)

    def start(
        self,
        *arguments: str,
        rule: Rule | None = None,
        extra: Mapping[str, str] | None = None,
        config: str = "",
        launch: Path | None = None,
    ) -> Running:
        """Start Nextflow with arguments and an injected rule; `config` is Nextflow's, for this run alone."""
        log = self.logs / f"{self.name}.{len(list(self.logs.glob(f'{self.name}.*.txt')))}.txt"
        settings = self.logs / f"{self.name}.config"
        settings.write_text(config)
        command = [str(BIN / "nextflow"), "-c", str(settings), "run", str(REPOSITORY / "main.nf")]
        variables = {
            **environment(),
            "SCARNET_FAULT_PAUSE_S": "2",
            "NXF_OPTS": "-XX:-UsePerfData",
            "TMPDIR": str(self.folder / "tmp"),
            **(extra or {}),
        }
        variables |= rule.environment(self.library) if rule else {}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, "-ansi-log", "false", *self.arguments(), *arguments],
                cwd=launch or self.launch,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, log)

    def run(
        self, *arguments: str, rule: Rule | None = None, extra: Mapping[str, str] | None = None, config: str = ""
    ) -> Ended:
        return self.start(*arguments, rule=rule, extra=extra, config=config).wait()

    def again(self, *arguments: str) -> Ended:
        """Go on once the cause is mended."""
        return self.run("-resume", *arguments)

    def wait_for_task(self, stage: str, run: Running) -> int:
        """Return the process of a task of this stage, as soon as there is one."""
        return wait_until(lambda: next(iter(self.tasks(stage)), None), run, f"a task of {stage}")

    def wait_for_other_task(self, stage: str, run: Running, known: int) -> int:
        """The same, but for one that is known."""
        return wait_until(lambda: next((pid for pid in self.tasks(stage) if pid != known), None), run, "a new task")

    def tasks(self, stage: str) -> list[int]:
        """Return the processes that run `scarnet STAGE` in the work directory."""
        wanted = {b"scarnet_cli", stage.lower().encode()}
        return [pid for pid, words, place in processes() if wanted <= set(words) and place.is_relative_to(self.work)]

    def moment(self, stage: str) -> float:
        """Return a random time, in seconds, within the first two thirds of such a task's process."""
        longest = max(seconds(row["realtime"]) for row in self.trace() if _stage_of(row) == stage)
        return self.chance.uniform(0, 0.66) * max(0.0, longest - _WRAPPER_S)

    def differences(self, *leave: str) -> list[str]:
        return differences(self.reference, self.out, leave)

    def failed(self) -> dict[str, str]:
        """Study -> code, from the table of failures."""
        return {row["study_id"]: row["code"] for row in failed_studies(self.out / "tables")}

    def said_of_failures(self) -> list[str]:
        return [f"{row['code']}: {row['message']}" for row in failed_studies(self.out / "tables")]

    def accounted(self) -> str:
        seen = {study for studies in self.batches.values() for study in studies}
        path = self.out / "tables" / "scans.parquet"
        measured = set(pq.read_table(path)["study_id"].to_pylist()) if path.exists() else set()
        failed = set(self.failed())
        return f"{len((measured | failed) & seen)} of {len(seen)}"


def wait_until(look: Callable[[], int | None], run: Running, what: str) -> int:
    """Look again and again until there is something; give up when the run has ended."""
    while run.runs:
        if (seen := look()) is not None:
            return seen
        time.sleep(0.02)
    raise EndedEarly(run.wait(), what)


def processes() -> list[tuple[int, list[bytes], Path]]:
    """Return process, words of its command line, and its folder, of all that can be seen."""
    seen: list[tuple[int, list[bytes], Path]] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            seen.append((int(process.name), words, (process / "cwd").resolve(strict=True)))
        except OSError:  # gone meanwhile
            continue
    return seen


def empty(folder: Path) -> None:
    """Remove what is in a folder, not the folder: something may be mounted there."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def seconds(text: str) -> float:
    """Read Nextflow's durations: '1m 2.5s', '916ms'."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    total = 0.0
    for word in text.split():
        unit = next(unit for unit in units if word.endswith(unit))
        total += float(word.removesuffix(unit)) * units[unit]
    return total


def _stage_of(row: Mapping[str, str]) -> str:
    return row["name"].split(" ")[0].split(":")[-1]
