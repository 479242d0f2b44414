"""Makes what faults are injected into, once, and injects faults, each in a mount and a process namespace of its own."""

import hashlib
import shutil
import signal
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

    def reference(self, *, dicom: bool) -> Path:
        """Return the folder of the undisturbed run, without or with results as DICOM."""
        return self.folder / ("reference_dicom" if dicom else "reference")

    @property
    def chain(self) -> Path:
        return self.folder / "chain"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def result(self, name: str) -> Path:
        return self.folder / "outcomes" / f"{name}.json"

    def run_scene(self, name: str, *, dicom: bool) -> RunScene:
        reference = self.reference(dicom=dicom) / "results"
        return RunScene(self.here, reference, build_injector(self.folder), self.logs, name, dicom)

    def set_up(self) -> None:
        """Make the undisturbed run and the chain of commands, unless the same code made them already."""
        for folder in (self.here, self.logs, self.folder / "outcomes", self.folder / "scenes"):
            folder.mkdir(parents=True, exist_ok=True)
        build_injector(self.folder)
        stamp = self.folder / "code.txt"
        if stamp.exists() and stamp.read_text() == code_digest():
            return
        stamp.unlink(missing_ok=True)
        plain, dicom = (self.reference(dicom=dicom) for dicom in (False, True))
        for folder in (plain, dicom, self.chain):
            shutil.rmtree(folder, ignore_errors=True)
        for place in _PLACES:
            (plain / place).mkdir(parents=True)
        subprocess.run([BIN / "scarnet", "phantom", "--studies", "3", "--out", plain / "cohort"], check=True)
        for path in (REPOSITORY / "weights").iterdir():
            shutil.copy2(path, plain / "weights")
        # First the commands, which compile what they import: the runs' times are those that random moments come from.
        self.chain.mkdir()
        self.inside(self.chain.name)
        self.inside(plain.name)
        subprocess.run(["cp", "-a", plain, dicom], check=True)
        self.inside(dicom.name)
        stamp.write_text(code_digest())

    def inside(self, name: str, patience_s: float | None = None) -> None:
        """Call `enter` with this name in namespaces of its own; whatever it leaves running ends with it."""
        apart = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
        apart += ["--mount-proc", "--propagation", "private"]
        subprocess.run([*apart, sys.executable, "-m", "faults", "--inside", name], check=True, timeout=patience_s)

    def enter(self, name: str, faults: Mapping[str, Fault[Any]]) -> None:
        """Make the undisturbed run, or inject a fault and write down its outcome."""
        # A shell starts what is in the background deaf to Ctrl-C; what is started from here shall hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if name == self.chain.name:
            appear(self.here, self.chain)
            make_chain(self.here)
            return
        if name.startswith("reference"):
            self.make_reference(name)
            return
        fault = faults[name]
        folder = self.folder / "scenes" / name
        shutil.rmtree(folder, ignore_errors=True)
        source = self.chain if fault.command else self.reference(dicom=fault.dicom)
        subprocess.run(["cp", "-a", source, folder], check=True)
        for log in self.logs.glob(f"{name}.*"):
            log.unlink()
        try:
            appear(self.here, folder)
            if fault.command:
                scene = CommandScene(self.here, build_injector(self.folder), self.logs, name)
                outcome = play(fault, scene, code_digest())
            else:
                outcome = play(fault, self.run_scene(name, dicom=fault.dicom), code_digest())
        except Exception as error:  # noqa: BLE001 (the table shows a harness that failed, too)
            (self.logs / f"{name}.harness.txt").write_text(traceback.format_exc())
            wrong = [f"the harness failed: {type(error).__name__}: {str(error)[:300]}"]
            outcome = Outcome(name, [], None, "", "", wrong, 0.0, code_digest())
        outcome.write(self.result(name))

    def make_reference(self, name: str) -> None:
        """Run once, undisturbed, in the mounted folder; results as DICOM come on top of the run without."""
        appear(self.here, self.folder / name)
        scene = self.run_scene(name, dicom=name == self.reference(dicom=True).name)
        for log in self.logs.glob(f"{name}.*"):
            log.unlink()
        done = scene.run("-resume")
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
