import hashlib
from pathlib import Path

import pytest
from hearts import toy_weights

from scarnet_cli.doctor.checks import State
from scarnet_cli.doctor.machine import (
    check_containers,
    check_disk,
    check_java,
    check_memory,
    check_nextflow,
    check_python,
    check_torch_and_gpu,
    check_weights,
    examine,
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "net.safetensors").write_bytes(toy_weights())
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(toy_weights()).hexdigest()}  net.safetensors\n")
    return tmp_path


def write_nextflow(folder: Path, body: str) -> None:
    program = folder / "nextflow"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def test_weights_as_listed_are_ok(weights: Path) -> None:
    (finding,) = check_weights(weights)
    assert finding.state is State.OK
    assert finding.words.startswith("net.safetensors: 2 tensors")


def test_weights_that_differ_from_their_digest_are_wrong(weights: Path) -> None:
    (weights / "net.safetensors").write_bytes(toy_weights(value=1.0))
    (finding,) = check_weights(weights)
    assert finding.state is State.WRONG
    assert "is not the file that SHA256SUMS beside it lists" in finding.words


def test_weights_that_are_cut_short_are_wrong_even_if_listed_so(weights: Path) -> None:
    content = (weights / "net.safetensors").read_bytes()[:-4]
    (weights / "net.safetensors").write_bytes(content)
    (weights / "SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  net.safetensors\n")
    (finding,) = check_weights(weights)
    assert finding.state is State.WRONG
    assert "not a complete safetensors file" in finding.words


def test_missing_weights_are_wrong_and_unlisted_ones_are_noted(weights: Path) -> None:
    (weights / "net.safetensors").rename(weights / "other.safetensors")
    missing, stranger = check_weights(weights)
    assert missing.state is State.WRONG
    assert "no weights file net.safetensors" in missing.words
    assert stranger.state is State.NOTE
    assert "other.safetensors" in stranger.words


def test_a_weights_folder_without_digests_is_wrong(tmp_path: Path) -> None:
    (finding,) = check_weights(tmp_path)
    assert finding.state is State.WRONG
    assert finding.advice


@pytest.mark.parametrize(
    ("body", "state", "words"),
    [
        ("echo '      version 24.10.0 build 5928'", State.OK, "Nextflow 24.10.0"),
        ("echo '      version 24.04.4 build 5917'", State.WRONG, "is version 24.04.4; 24.10 or later is needed."),
        ("exit 3", State.WRONG, "does not start."),
    ],
)
def test_nextflow_is_judged_by_what_it_says_of_itself(tmp_path: Path, body: str, state: State, words: str) -> None:
    write_nextflow(tmp_path, body)
    nextflow = check_nextflow([tmp_path])
    assert nextflow.state is state
    assert words in nextflow.words


def test_a_missing_nextflow_is_wrong_and_says_what_to_do(tmp_path: Path) -> None:
    nextflow = check_nextflow([tmp_path])
    assert (nextflow.state, nextflow.advice) == (State.WRONG, "Say `make setup`.")


def test_the_java_of_this_environment_is_found_and_new_enough(tmp_path: Path) -> None:
    java = check_java([tmp_path])
    assert java.state is State.OK
    assert java.words.startswith("Java 21.")


def test_this_python_has_all_packages_of_the_core() -> None:
    assert check_python().state is State.OK


def test_the_torch_of_this_environment_can_be_imported() -> None:
    pytest.importorskip("torch")
    torch, gpu = check_torch_and_gpu()
    assert torch.state is State.OK
    assert gpu.subject == "GPU"
    assert gpu.state in (State.OK, State.NOTE)


def test_disk_and_memory_are_judged_by_their_bounds(tmp_path: Path) -> None:
    assert check_disk(tmp_path, least_bytes=0, enough_bytes=0).state is State.OK
    assert check_disk(tmp_path, least_bytes=0, enough_bytes=1e30).state is State.NOTE
    assert check_disk(tmp_path, least_bytes=1e30).state is State.WRONG
    assert [check_memory(size).state for size in (2e9, 4e9, 16e9)] == [State.WRONG, State.NOTE, State.OK]


def test_a_container_runtime_is_found_by_its_name() -> None:
    assert check_containers(["sh", "no-such-runtime"]).words.startswith("Found sh;")
    assert check_containers(["no-such-runtime"]).state is State.NOTE


def test_in_an_image_only_what_its_tasks_need_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCARNET_IMAGE", "core")
    assert {finding.subject for finding in examine(tmp_path, tmp_path)} == {"Python", "disk", "memory"}
