"""What the pipeline's profiles need of this machine: their schedulers, container engines and images.

The profiles themselves are declared in nextflow.config and conf/ alone; their text is read here, since Nextflow takes
seconds to resolve them.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Final

from scarnet_cli.doctor.checks import Answer, Check, Finding, State, ask
from scarnet_cli.errors import InputError

PIPELINE: Final = Path(__file__).resolve().parents[2]
# Executor -> the commands that Nextflow runs, and a quick one that the scheduler itself has to answer.
_SCHEDULERS: Final = {
    "slurm": (("sbatch", "squeue", "scancel"), ("sinfo", "--noheader")),
    "sge": (("qsub", "qstat", "qdel"), ("qstat",)),
    "pbs": (("qsub", "qstat", "qdel"), ("qstat", "-B")),
    "pbspro": (("qsub", "qstat", "qdel"), ("qstat", "-B")),
    "lsf": (("bsub", "bjobs", "bkill"), ("bqueues",)),
}
# Engine -> a quick command that it has to answer; docker's asks its daemon.
_ENGINES: Final = {
    "docker": ("docker", "version"),
    "podman": ("podman", "version"),
    "apptainer": ("apptainer", "--version"),
    "charliecloud": ("ch-run", "--version"),
    "conda": ("conda", "--version"),
}
_OWN_IMAGE: Final = "localhost/"  # images that `make containers` built, which no registry serves
_OTHERS: Final = "or name others with --container_core and --container_gpu"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile: its executor, its container engine (or conda) and the images that it names, if it has these."""

    name: str
    executor: str | None = None
    engine: str | None = None
    images: tuple[str, ...] = ()


def read_profiles(names: Iterable[str], pipeline: Path = PIPELINE) -> list[Profile]:
    """Return the profiles of these names, as the pipeline's configuration declares them.

    Raises:
        InputError: There is no such profile; the message says which is nearest.
    """
    config = pipeline / "nextflow.config"
    text = config.read_text() if config.exists() else ""
    declared = dict(re.findall(r"^ +(\w+) \{ includeConfig '([^']+)' \}", text, re.MULTILINE))
    chosen = list(names)
    for name in chosen:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(declared) or 'none here'}."
            message = f"There is no profile '{name}'; {hint}"
            raise InputError("unknown_profile", message)
    return [_profile_in((pipeline / declared[name]).read_text(), text, name, pipeline) for name in chosen]


def _profile_in(text: str, defaults: str, name: str, pipeline: Path) -> Profile:
    executor = re.search(r"^ *(?:process\.)?executor = '([\w-]+)'", text, re.MULTILINE)
    engine = re.search(r"^(\w+)(?:\.| \{\n +)enabled = true", text, re.MULTILINE)
    images = _images_in(text, pipeline) or _images_in(defaults, pipeline) if engine and engine[1] != "conda" else ()
    return Profile(name, executor and executor[1], engine and engine[1], images)


def _images_in(text: str, pipeline: Path) -> tuple[str, ...]:
    found = re.findall(r"^params\.container_\w+ = params\.container_\w+ \?: ['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return tuple(image.replace("${projectDir}", str(pipeline)) for image in found)


def profile_checks(profiles: Sequence[Profile], patience_s: float) -> list[Check]:
    """Return the checks of what these profiles need together; none waits longer than `patience_s` for a command."""
    is_here = all(profile.executor in (None, "local") for profile in profiles)
    checks: list[Check] = []
    for profile in profiles:
        if profile.executor not in (None, "local"):
            checks.append(partial(_check_executor, profile.executor, patience_s))
        if profile.engine is not None:
            checks.append(partial(_check_engine, profile.engine, patience_s, is_here=is_here))
            checks += [
                partial(_check_image, profile.engine, image, patience_s, is_here=is_here) for image in profile.images
            ]
    return checks


def _check_executor(executor: str, patience_s: float) -> list[Finding]:
    """Check that a scheduler's commands are there and that it answers; what a cloud needs is only named."""
    if executor not in _SCHEDULERS:
        words = f"What {executor} needs is not checked from here."
        advice = "Read docs/cloud.md; images come from a registry, named by --container_core and --container_gpu."
        return [Finding("scheduler", State.NOTE, words, advice)]
    commands, question = _SCHEDULERS[executor]
    missing = [command for command in dict.fromkeys((*commands, question[0])) if not shutil.which(command)]
    if missing:
        words = f"{executor} needs {', '.join(commands)}; not on the PATH: {', '.join(missing)}."
        advice = "Start the pipeline on a machine of the cluster from which jobs are submitted."
        return [Finding("scheduler", State.WRONG, words, advice)]
    answer = ask(question, patience_s)
    if answer.code != 0:
        words = _say_why(question, answer, patience_s)
        advice = "Jobs cannot be submitted from here now: ask those who run the cluster."
        return [Finding("scheduler", State.WRONG, words, advice)]
    return [Finding("scheduler", State.OK, f"{executor} has {', '.join(commands)}, and answers.")]


def _check_engine(engine: str, patience_s: float, *, is_here: bool) -> list[Finding]:
    """Check that a container engine (or conda) is there and answers; of a cluster's, only its nodes need one."""
    question = _ENGINES[engine]
    if shutil.which(question[0]):
        answer = ask(question, patience_s)
        if answer.code != 0:
            return [_unanswered("containers", question, answer, patience_s)]
        return [Finding("containers", State.OK, f"{question[0]} answers.")]
    words = f"{question[0]} is not on the PATH."
    if is_here or engine == "conda":  # conda makes the environment where the run is started
        return [Finding("containers", State.WRONG, words, "Install it, or choose another profile (docs/usage.md).")]
    return [Finding("containers", State.NOTE, words, "It is not needed here, but on every node that runs tasks.")]


def _check_image(engine: str, image: str, patience_s: float, *, is_here: bool) -> list[Finding]:
    """Check that an image is where the engine looks for it; one of a registry is the engine's to fetch."""
    if Path(image).is_absolute():
        if Path(image).exists():
            return [Finding("image", State.OK, f"{image} is there.")]
        return [Finding("image", State.WRONG, f"{image} is missing.", f"Make it (docs/hpc.md, Images), {_OTHERS}.")]
    if not image.startswith(_OWN_IMAGE):
        return [Finding("image", State.OK, f"{image} comes from its registry when a task first needs it.")]
    if not is_here:
        words = f"Every node needs {image} in its own {engine}; that is not checked from here."
        return [Finding("image", State.NOTE, words)]
    return [_ask_for_image(engine, image, patience_s)] if shutil.which(engine) else []


def _ask_for_image(engine: str, image: str, patience_s: float) -> Finding:
    question = (engine, "image", "inspect", image)
    answer = ask(question, patience_s)
    if answer.code == 0:
        return Finding("image", State.OK, f"{engine} has {image}.")
    if image in answer.last_line:
        return Finding("image", State.WRONG, f"{engine} has no {image}.", f"Say `make containers`, {_OTHERS}.")
    return _unanswered("image", question, answer, patience_s)


def _unanswered(subject: str, command: Sequence[str], answer: Answer, patience_s: float) -> Finding:
    words = _say_why(command, answer, patience_s)
    return Finding(subject, State.WRONG, words, f"Run `{' '.join(command)}` to see why.")


def _say_why(command: Sequence[str], answer: Answer, patience_s: float) -> str:
    """Return a sentence on a command that failed or hung."""
    if answer.code is None:
        return f"`{' '.join(command)}` has not answered within {patience_s:g} s."
    return f"`{' '.join(command)}` failed: {answer.last_line}"
