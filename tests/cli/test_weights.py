import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from hearts import toy_spec, toy_weights

from scarnet_cli.cli.main import cli
from scarnet_cli.errors import ModelError
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import ARCHITECTURES
from scarnet_cli.model.store import SHIPPED
from scarnet_cli.model.weights import load_weights
from scarnet_cli.train.presets import PRESETS


def scarnet(*arguments: str | Path, own: Path | None = None) -> Result:
    environment = {"SCARNET_WEIGHTS": None if own is None else str(own)}
    return CliRunner().invoke(cli, ["weights", *map(str, arguments)], env=environment)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder: one whole network, listed."""
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(SHIPPED / "localiser.safetensors", folder / "mine.safetensors")
    digest = hashlib.sha256((folder / "mine.safetensors").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  mine.safetensors\n")
    return folder


def test_the_list_names_the_pipeline_s_weights_one_line_each() -> None:
    result = scarnet("list")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == sorted(path.stem for path in SHIPPED.glob("*.safetensors"))
    digest = hashlib.sha256((SHIPPED / "localiser.safetensors").read_bytes()).hexdigest()[:12]
    expected = ["localiser", "localise", "unet", "0.49 M", "1.0 MB", digest, "as listed", "pipeline"]
    assert expected in lines


def test_the_list_holds_a_user_s_own_also_what_cannot_be_read(own: Path) -> None:
    (own / "other.safetensors").write_bytes(toy_weights())
    (own / "cut.safetensors").write_bytes(toy_weights()[:-2])
    lines = {line.split("\t")[0]: line.split("\t") for line in scarnet("list", own=own).stdout.splitlines()}
    assert lines["mine"][-2:] == ["as listed", "own"]
    assert lines["other"][1:] == ["segment", "unet", "0.00 M", "0.0 MB", lines["other"][5], "not listed", "own"]
    assert "cut.safetensors is not a complete safetensors file" in lines["cut"][6]


def test_whole_weights_are_verified(own: Path) -> None:
    result = scarnet("verify", "--weights-dir", own)
    assert result.exit_code == 0, result.output
    assert "localiser.safetensors: loads, as listed." in result.stdout
    assert "mine.safetensors: loads, as listed." in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "mine.safetensors is not the file that SHA256SUMS"),
        (lambda path: path.unlink(), "There is no weights file mine.safetensors"),
        (
            lambda path: path.with_name("b.safetensors").write_bytes(b"no weights"),
            "b.safetensors is not a complete safet",
        ),
        (lambda path: path.with_name("c.safetensors").write_bytes(toy_weights()), "c.safetensors does not fit"),
    ],
)
def test_a_wrong_file_is_one_message_and_exit_code_1(own: Path, change: object, words: str) -> None:
    assert callable(change)
    change(own / "mine.safetensors")
    result = scarnet("verify", own=own)
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if words in line] == result.stderr.splitlines()
    assert result.stderr.startswith("Error: ")
    assert "localiser.safetensors: loads" in result.stdout


def test_the_networks_of_a_run_are_checked_without_loading_them(own: Path) -> None:
    result = scarnet("check")
    assert result.exit_code == 0
    assert (
        result.stdout == "localiser.safetensors: to localise, as listed.\nscarnet.safetensors: to segment, as listed.\n"
    )
    (own / "start.safetensors").write_bytes(toy_weights(spec=replace(toy_spec(), trained=False)))
    wrong = scarnet("check", "--localiser", "start", "--weights", "mine", own=own)
    assert wrong.exit_code == 1
    assert [line.split(";")[0] for line in str(wrong.exception).splitlines()] == [
        "start.safetensors: Weights 'toy' are for segment, not for localise",
        "mine.safetensors: Weights 'localiser' are for localise, not for segment",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (toy_weights(spec=replace(toy_spec(), trained=False)), "pretrained alone; train them first"),
        (toy_weights(spec=replace(toy_spec(), architecture="resnet")), "Unknown architecture 'resnet'"),
        (toy_weights()[:-2], "not a complete safetensors file"),
    ],
)
def test_a_network_that_cannot_segment_is_told_for_a_workflow_to_show(own: Path, content: bytes, words: str) -> None:
    (own / "other.safetensors").write_bytes(content)
    problem = own / "problem.txt"
    assert scarnet("check", "--weights", "other", "--problem", problem, own=own).exit_code == 0
    assert words in problem.read_text()
    run = CliRunner().invoke(cli, ["run", str(own), str(own / "out"), "--weights", str(own / "other.safetensors")])
    assert words in str(run.exception)


def test_the_architectures_that_can_be_built_are_those_named_without_torch() -> None:
    for architecture in ARCHITECTURES:  # options that none of them has: only an unknown name is refused before they are
        with pytest.raises(ModelError, match="do not fit architecture"):
            build_model(replace(toy_spec(), architecture=architecture, options={"none": 1}))


def test_a_state_dict_is_imported_and_can_then_be_given_by_name(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build_model(PRESETS["localiser"].spec)
    torch.save(network.state_dict(), tmp_path / "a.pth")
    out = tmp_path / "mine.safetensors"
    result = scarnet("import", tmp_path / "a.pth", "--model", "localiser", "--out", out)
    assert result.exit_code == 0, result.output
    trained = load_weights(out)
    assert trained.spec == PRESETS["localiser"].spec
    for key, value in trained.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[key].half().to(value.dtype))
    assert "mine\tlocalise" in scarnet("list", own=tmp_path).stdout


def test_tensors_of_another_network_are_refused_with_key_and_shapes(tmp_path: Path) -> None:
    torch.save(build_model(PRESETS["localiser"].spec).state_dict(), tmp_path / "a.pth")
    out = tmp_path / "mine.safetensors"
    result = scarnet("import", tmp_path / "a.pth", "--model", "unet", "--out", out)
    assert result.exit_code == 1
    assert "encoder.0.0.weight is (16, 1, 3, 3) there and (16, 3, 3, 3) in the network" in str(result.exception)
    assert not out.exists()


def test_an_unknown_model_another_suffix_and_a_missing_checkpoint_are_wrong_usage(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    unknown = scarnet("import", tmp_path / "a.pth", "--model", "unett", "--out", tmp_path / "a.safetensors")
    suffix = scarnet("import", tmp_path / "a.pth", "--model", "unet", "--out", tmp_path / "b.pth")
    missing = scarnet("import", tmp_path / "none.pth", "--model", "unet", "--out", tmp_path / "b.safetensors")
    assert (unknown.exit_code, suffix.exit_code, missing.exit_code) == (2, 2, 2)
    assert "There is no file" in missing.stderr
    assert "'unett' is not a model" in unknown.stderr
    assert "must end in" in suffix.stderr


def test_lite_medsam_is_imported_by_its_name_for_a_training_to_start_from(tmp_path: Path) -> None:
    out = tmp_path / "start.safetensors"
    result = scarnet("import", "lite_medsam", "--model", "scarnet", "--out", out)
    assert "scarnet train --model scarnet --start-from" in result.stdout
    assert not load_weights(out).spec.trained


def test_a_name_that_is_not_known_is_wrong_usage_of_every_command_that_takes_weights(tmp_path: Path) -> None:
    for command in (["segment", str(tmp_path), "--out"], ["crop", str(tmp_path), "--out"], ["run", str(tmp_path)]):
        result = CliRunner().invoke(cli, [*command, str(tmp_path / "out"), "--weights", "none-such"])
        assert result.exit_code == 2
        assert "no weights called 'none-such'" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["list", "verify", "check", "import"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = scarnet(command, "--help")
    assert result.exit_code == 0
    assert f"Example: scarnet weights {command}" in " ".join(result.output.split())


def test_the_thresholds_of_a_cross_validation_become_the_weights_and_the_tensors_stay(tmp_path: Path) -> None:
    (tmp_path / "decision.json").write_text('{"scar_share": 0.3, "least_scar_percent": 2}')
    out = tmp_path / "mine.safetensors"
    result = scarnet("decide", SHIPPED / "unet.safetensors", tmp_path / "decision.json", "--out", out)
    assert result.exit_code == 0, result.output
    before, after = load_weights(SHIPPED / "unet.safetensors"), load_weights(out)
    decision = {"least_expected_scar_percent": 0.0, "least_mvo_percent": 0.0}
    assert after.spec == replace(before.spec, decision={"scar_share": 0.3, "least_scar_percent": 2, **decision})
    for ours, theirs in zip(after.network.state_dict().values(), before.network.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("weights", "decision", "words"),
    [
        ("unet", "[0.3]", "is not a table of scar_share and least_scar_percent and least_expected_scar_percent"),
        ("unet", '{"scar_share": 3}', "needs a scar_share from 0 to 1"),
        ("unet", "{", "is not JSON"),
        ("localiser", "{}", "has no thresholds"),
    ],
)
def test_wrong_thresholds_are_one_message(tmp_path: Path, weights: str, decision: str, words: str) -> None:
    (tmp_path / "decision.json").write_text(decision)
    out = tmp_path / "mine.safetensors"
    result = scarnet("decide", SHIPPED / f"{weights}.safetensors", tmp_path / "decision.json", "--out", out)
    assert result.exit_code != 0
    assert words in result.output.replace("\n", " ") + str(result.exception)
    assert not out.exists()
