"""Where a stage's command is disturbed, without Nextflow: a folder with what every stage makes of a small cohort."""

import random
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq
from nextflow_launch import BIN, REPOSITORY, environment

from faults.fault import Ended
from faults.preload import Rule
from faults.same import failed_studies, files_below

PATIENCE_S = 400
COMMANDS = ("index", "convert", "crop", "segment", "quantify", "export", "gather", "report")


def words_of(stage: str, folder: Path, out: Path) -> list[str]:
    """Return the arguments of `scarnet` for a stage over the whole cohort, as the pipeline gives them."""
    batch = next((folder / "index" / "batches").glob("*.json"), folder / "none.json")
    given: dict[str, list[str | Path]] = {
        "index": [folder / "cohort" / "dicom", "--batch-min", "3", "--batch-max", "3", "--jobs", "1", "--will-retry"],
        "convert": [batch],
        "crop": [folder / "convert", "--weights", folder / "weights" / "localiser.safetensors"],
        "segment": [folder / "crop", "--weights", folder / "weights" / "scarnet.safetensors", "--fast"],
        "quantify": [folder / "convert", folder / "segment"],
        "export": [batch, folder / "segment", folder / "quantify"],
        "gather": [folder / name for name in COMMANDS[:6]],
        "report": [folder / "gather", "--studies", folder / "quantify"],
    }
    isolate = ["--isolate"] if stage in COMMANDS[1:6] else []
    return [stage, *map(str, given[stage]), "--out", str(out), *isolate]


def make_chain(folder: Path, stages: tuple[str, ...] = COMMANDS, studies: int = 3) -> None:
    """Make the cohort and let every stage do its work."""
    subprocess.run([BIN / "scarnet", "phantom", "--studies", str(studies), "--out", folder / "cohort"], check=True)
    (folder / "weights").mkdir()
    for path in (REPOSITORY / "weights").iterdir():
        shutil.copy2(path, folder / "weights")
    for stage in stages:
        command = [REPOSITORY / "bin" / "scarnet", *words_of(stage, folder, folder / stage)]
        subprocess.run(command, check=True, capture_output=True, env=environment())


@dataclass
class CommandScene:
    """A stage's command that is disturbed.

    Attributes:
        folder: A chain's folder (make_chain); what the stage makes anew goes to `out`.
        library: The injector.
        logs: Folder for what commands print.
        name: Of the fault.
        again_with: What `again` runs; set by the last `run`.
    """

    folder: Path
    library: Path
    logs: Path
    name: str
    again_with: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out" / self.stage

    @property
    def stage(self) -> str:
        return self.again_with[0]

    @property
    def names(self) -> dict[str, str]:
        words = {"OUT": self.folder / "out", "INPUT": self.folder / "cohort" / "dicom"}
        words |= {"WEIGHTS": self.folder / "weights", "HERE": self.folder}
        return {str(path): word for word, path in words.items()} | {str(REPOSITORY): "PIPELINE"}

    @cached_property
    def chance(self) -> random.Random:
        return random.Random(self.name)

    @property
    def studies(self) -> list[str]:
        return pq.read_table(self.folder / "index" / "studies.parquet")["study_id"].to_pylist()

    @property
    def study(self) -> str:
        return self.studies[0]

    def run(
        self,
        stage: str,
        *arguments: str,
        rule: Rule | None = None,
        extra: Mapping[str, str] | None = None,
        before: str = "",
    ) -> Ended:
        """Run a stage with an injected rule; `before` is shell that goes before it, such as a limit."""
        self.again_with = words_of(stage, self.folder, self.folder / "out" / stage)
        shutil.rmtree(self.out, ignore_errors=True)
        return self._run([*self.again_with, *arguments], rule, extra, before)

    def again(self, *arguments: str) -> Ended:
        """Run it undisturbed, as -resume would: in a folder that holds nothing."""
        shutil.rmtree(self.out, ignore_errors=True)
        return self._run([*self.again_with, *arguments], None, None, "")

    def _run(self, words: list[str], rule: Rule | None, extra: Mapping[str, str] | None, before: str) -> Ended:
        variables = {**environment(), **(extra or {}), **(rule.environment(self.library) if rule else {})}
        script = f'{before}\nexec "$0" "$@"'
        done = subprocess.run(
            ["bash", "-c", script, REPOSITORY / "bin" / "scarnet", *words],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
            text=True,
            errors="replace",
            check=False,
        )
        with (self.logs / f"{self.name}.txt").open("a") as log:
            log.write(done.stdout + f"\nexit code {done.returncode}\n")
        return Ended(done.returncode, done.stdout)

    def differences(self, *leave: str) -> list[str]:
        wanted, given = (files_below(folder, leave) for folder in (self.folder / self.stage, self.out))
        names = sorted(wanted.keys() | given.keys())
        return [f"{name}: differs" for name in names if wanted.get(name) != given.get(name)]

    def failed(self) -> dict[str, str]:
        return {row["study_id"]: row["code"] for row in failed_studies(self.out)}

    def said_of_failures(self) -> list[str]:
        return [f"{row['code']}: {row['message']}" for row in failed_studies(self.out)]

    def accounted(self) -> str:
        done = {path.name for path in (self.out / "studies").glob("*")} | set(self.failed())
        whole = not self.differences()
        return f"{len(self.studies) if whole else len(done & set(self.studies))} of {len(self.studies)}"
