"""Makes what faults are injected into, once, and injects faults, each in a mount and a process namespace of its own."""

import hashlib
import shutil
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextflow_launch import BIN, REPOSITORY

from faults.commands import CommandScene, make_chain
from faults.fault import Fault, Outcome
from faults.mounts import appear
from faults.play import play
from faults.preload import build_injector
from faults.scene import RunScene

_CODE = ("scarnet_cli", "modules", "workflows", "conf", "bin", "weights", "main.nf", "nextflow.config")
_PLACES = ("cohort", "launch", "work", "results", "weights", "tmp")


@dataclass(frozen=True)
class Lab:
    """A folder that keeps everything between runs of the harness."""

    folder: Path

    @property
    def here(self) -> Path:
        """Where every copy of the undisturbed run is mounted."""
        return self.folder / "here"

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    @property
    def chain(self) -> Path:
        return self.folder / "chain"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def result(self, name: str) -> Path:
        return self.folder / "outcomes" / f"{name}.json"

    def run_scene(self, name: str) -> RunScene:
        return RunScene(self.here, self.reference / "results", build_injector(self.folder), self.logs, name)

    def set_up(self) -> None:
        """Make the undisturbed run and the chain of commands, unless the same code made them already."""
        for folder in (self.here, self.logs, self.folder / "outcomes", self.folder / "scenes"):
            folder.mkdir(parents=True, exist_ok=True)
        build_injector(self.folder)
        stamp = self.folder / "code.txt"
        if stamp.exists() and stamp.read_text() == code_digest():
            return
        stamp.unlink(missing_ok=True)
        shutil.rmtree(self.reference, ignore_errors=True)
        shutil.rmtree(self.chain, ignore_errors=True)
        for place in _PLACES:
            (self.reference / place).mkdir(parents=True)
        command = [BIN / "scarnet", "phantom", "--studies", "3", "--out", self.reference / "cohort"]
        subprocess.run(command, check=True)
        for path in (REPOSITORY / "weights").iterdir():
            shutil.copy2(path, self.reference / "weights")
        self.inside("reference")
        make_chain(self.chain)
        stamp.write_text(code_digest())

    def inside(self, name: str, patience_s: float | None = None) -> None:
        """Call `enter` with this name in namespaces of its own; whatever it leaves running ends with it."""
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        subprocess.run([*apart, sys.executable, "-m", "faults", "--inside", name], check=True, timeout=patience_s)

    def enter(self, name: str, faults: Mapping[str, Fault[Any]]) -> None:
        """Make the undisturbed run, or inject a fault and write down its outcome."""
        if name == "reference":
            appear(self.here, self.reference)
            self.make_reference()
            return
        fault = faults[name]
        folder = self.folder / "scenes" / name
        shutil.rmtree(folder, ignore_errors=True)
        of_run = not fault.command
        subprocess.run(["cp", "-a", self.reference if of_run else self.chain, folder], check=True)
        for log in self.logs.glob(f"{name}.*"):
            log.unlink()
        try:
            if of_run:
                appear(self.here, folder)
                outcome = play(fault, self.run_scene(name), code_digest())
            else:
                scene = CommandScene(folder, build_injector(self.folder), self.logs, name)
                outcome = play(fault, scene, code_digest())
        except Exception as error:  # noqa: BLE001 (the table shows a harness that failed, too)
            (self.logs / f"{name}.harness.txt").write_text(traceback.format_exc())
            wrong = [f"the harness failed: {type(error).__name__}: {str(error)[:300]}"]
            outcome = Outcome(name, [], None, "", "", wrong, 0.0, code_digest())
        outcome.write(self.result(name))

    def make_reference(self) -> None:
        """Run once, undisturbed, in the mounted folder."""
        scene = self.run_scene("reference")
        for log in self.logs.glob("reference.*"):
            log.unlink()
        done = scene.run()
        if done.exit_code != 0:
            message = f"the undisturbed run failed: {done.output}"
            raise RuntimeError(message)


def code_digest() -> str:
    """Return a digest of all files that a run executes."""
    digest = hashlib.sha256()
    for top in _CODE:
        path = REPOSITORY / top
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(str(file.relative_to(REPOSITORY)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
