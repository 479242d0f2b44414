"""Weights files on disk, handled without torch: look-up by name or path, description and digest."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final
from zipfile import is_zipfile

from safetensors import SafetensorError, safe_open

from scarnet_cli.errors import ModelError
from scarnet_cli.faults import machine_fault
from scarnet_cli.files import file_sha256
from scarnet_cli.model.spec import NetworkSpec, Task, require_known, require_task

SHIPPED: Final = Path(__file__).resolve().parents[2] / "weights"
DIGESTS: Final = "SHA256SUMS"
SUFFIX: Final = ".safetensors"
SPEC_KEY: Final = "scarnet_spec"
# Saved with a network, but usually not counted as parameters.
_STATISTICS: Final = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Description of an intact weights file.

    Attributes:
        path: The file.
        spec: The network that it holds.
        parameters: Number of trained values.
        tensors: Number of tensors.
        sha256: SHA-256 of the file, in hex.
        listed: Whether SHA256SUMS beside the file lists it, with this digest; another digest is an error.
    """

    path: Path
    spec: NetworkSpec
    parameters: int
    tensors: int
    sha256: str
    listed: bool


def known_weights(own: Path | None = None, shipped: Path = SHIPPED) -> dict[str, Path]:
    """Return name -> path of all weights files in the user's folder and the pipeline's; the user's take precedence."""
    folders = [folder for folder in (shipped, own) if folder is not None]
    return {path.stem: path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))}


def find_weights(given: str, own: Path | None = None, shipped: Path = SHIPPED) -> Path:
    """Return the path of the weights file that a user asks for.

    Args:
        given: A path if it holds a separator or ends in `.safetensors`; else the name of a file in one of the folders.
        own: The user's weights folder.
        shipped: The pipeline's weights folder.

    Raises:
        ModelError: There is no such file.
    """
    if given.endswith(SUFFIX) or os.sep in given:
        path = Path(given)
        if not path.is_file():
            message = f"There is no weights file '{given}'; check the path, or see `scarnet weights list` for names."
            raise ModelError("missing_weights", message)
        return path
    known = known_weights(own, shipped)
    if given not in known:
        _refuse_checkpoint(Path(given))
        message = f"There are no weights called '{given}'; known are {', '.join(known) or 'none'}."
        raise ModelError("missing_weights", message)
    return known[given]


def _refuse_checkpoint(path: Path) -> None:
    """Say which file to take in place of a torch checkpoint, which is a zip archive; return for any other file.

    Raises:
        ModelError: The file is one.
    """
    if is_zipfile(path):
        weights = path.with_name("weights.safetensors")
        instead = f"take {weights}" if weights.exists() else f"`scarnet weights import {path} --model MODEL` makes one"
        message = f"{path} is a torch checkpoint, not a weights file; {instead}."
        raise ModelError("checkpoint", message)


def listed_digests(folder: Path) -> Mapping[str, str]:
    """Return file name -> SHA-256 (hex) from a folder's SHA256SUMS; empty if there is none.

    Raises:
        ModelError: The file is not in the format of `sha256sum`.
    """
    try:
        text = (folder / DIGESTS).read_text()
        pairs = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
        return {name.strip().lstrip("*"): digest.lower() for digest, name in pairs}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        message = f"{DIGESTS} beside the weights cannot be read ({type(error).__name__}); fetch the folder again."
        raise ModelError("unreadable_digests", message) from error


def files_in(folder: Path) -> list[Path]:
    """Return the weights files that a folder holds or its SHA256SUMS lists, sorted.

    Raises:
        ModelError: SHA256SUMS cannot be read.
    """
    return sorted({folder / name for name in listed_digests(folder)} | set(folder.glob(f"*{SUFFIX}")))


def verified_sha256(path: Path) -> str:
    """Return a weights file's SHA-256 (hex), which must equal the one that SHA256SUMS beside it lists, if any.

    Links are followed, because Nextflow stages a link to the file.

    Raises:
        ModelError: The file is missing, or is not the one listed.
    """
    if not path.is_file():
        message = f"There is no weights file {path.name}; see `scarnet weights list`."
        raise ModelError("missing_weights", message)
    found, listed = file_sha256(path), _listed_digest(path)
    if listed is not None and found != listed:
        message = (
            f"{path.name} is not the file that {DIGESTS} beside it lists (its SHA-256 is {found[:16]}..., not "
            f"{listed[:16]}...): it was cut or changed; fetch it again."
        )
        raise ModelError("wrong_digest", message)
    return found


def read_weights_file(path: Path) -> WeightsFile:
    """Verify a weights file and return its description.

    Raises:
        ModelError: The file is missing, is not the one listed, is truncated, or was not written by this project.
        MachineError: The machine failed.
    """
    sha256 = verified_sha256(path)
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        if fault := machine_fault(error):
            raise fault from error
        _refuse_checkpoint(path)
        message = f"{path.name} is not a complete safetensors file ({error}); fetch it again."
        raise ModelError("unreadable_weights", message) from error
    if SPEC_KEY not in metadata:
        message = f"{path.name} does not say which network it is for; `scarnet weights import` makes files that do."
        raise ModelError("unreadable_weights", message)
    parameters = sum(prod(shape) for key, shape in shapes.items() if not key.endswith(_STATISTICS))
    listed = _listed_digest(path) is not None
    return WeightsFile(path, NetworkSpec.from_json(metadata[SPEC_KEY]), parameters, len(shapes), sha256, listed)


def check_networks(networks: Mapping[Task, Path]) -> list[WeightsFile]:
    """Check, before anything else runs, that the networks of a run are intact, as listed, and trained for their tasks.

    Returns:
        The descriptions of the files.

    Raises:
        ModelError: One or several are not; the message names each.
        MachineError: The machine failed.
    """
    files: list[WeightsFile] = []
    problems: list[str] = []
    for task, path in networks.items():
        try:
            file = read_weights_file(path)
            require_known(file.spec)
            require_task(file.spec, task)
        except ModelError as error:
            problems.append(str(error) if path.name in str(error) else f"{path.name}: {error}")
        else:
            files.append(file)
    if problems:
        raise ModelError("wrong_weights", "\n".join(problems))
    return files


def _listed_digest(path: Path) -> str | None:
    """Return the digest that SHA256SUMS beside a file, or beside the file it links to, lists; None if it lists none."""
    place = path.resolve()
    return listed_digests(place.parent).get(place.name)
