import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hearts import toy_spec
from safetensors.torch import save_file

from scarnet_cli.errors import ModelError
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.model.weights import load_weights, save_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_weights(tmp_path / "toy.safetensors", build_model(toy_spec()), toy_spec())
    return tmp_path / "toy.safetensors"


def test_a_saved_network_comes_back_with_its_spec_digest_and_output(weights: Path) -> None:
    torch.manual_seed(0)
    network = build_model(toy_spec()).eval()
    trained = load_weights(weights)
    assert trained.spec == toy_spec()
    assert trained.sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    image = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    # half precision keeps 11 bits
    assert torch.allclose(trained.network(image), network(image), atol=2e-2)


def test_equal_networks_are_written_as_equal_bytes(weights: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "again.safetensors", load_weights(weights).network, toy_spec())
    assert (tmp_path / "again.safetensors").read_bytes() == weights.read_bytes()


def test_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no weights file none\.safetensors"):
        load_weights(tmp_path / "none.safetensors")


def test_a_cut_file_raises(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"toy\.safetensors is not a complete safetensors file"):
        load_weights(weights)


def test_a_pickled_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="is a torch checkpoint, not a weights file"):
        load_weights(tmp_path / "a.safetensors")


def test_safetensors_without_a_spec_raise(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="does not say which network it is for"):
        load_weights(tmp_path / "a.safetensors")


def test_tensors_that_do_not_fit_the_spec_raise(tmp_path: Path) -> None:
    larger = replace(toy_spec(), options={"features": 8, "levels": 3})
    save_weights(tmp_path / "a.safetensors", build_model(toy_spec()), larger)
    # toy networks have 4 features, this one 8
    expected = r"a\.safetensors does not fit.*: encoder\.0\.0\.weight is \(4, 3, 3, 3\) there and \(8, 3, 3, 3\) in"
    with pytest.raises(ModelError, match=expected):
        load_weights(tmp_path / "a.safetensors")


def test_values_beyond_half_precision_are_not_written(tmp_path: Path) -> None:
    network = build_model(toy_spec())
    with torch.no_grad():
        next(network.parameters())[0, 0, 0, 0] = 1e5
    with pytest.raises(ModelError, match=r"encoder\.0\.0\.weight holds values that are infinite"):
        save_weights(tmp_path / "a.safetensors", network, toy_spec())
    assert not (tmp_path / "a.safetensors").exists()


def test_a_file_that_differs_from_its_listed_digest_is_not_loaded(weights: Path) -> None:
    (weights.parent / "SHA256SUMS").write_text(f"{'0' * 64}  {weights.name}\n")
    with pytest.raises(ModelError, match="is not the file that SHA256SUMS beside it lists"):
        load_weights(weights)


def test_an_unknown_architecture_raises() -> None:
    with pytest.raises(ModelError, match="Unknown architecture 'unknown'; known: unet"):
        build_model(replace(toy_spec(), architecture="unknown"))


def test_options_that_do_not_fit_raise() -> None:
    with pytest.raises(ModelError, match="do not fit architecture 'unet'"):
        build_model(replace(toy_spec(), options={"depth": 3}))


def test_a_spec_survives_json_and_garbage_raises() -> None:
    assert NetworkSpec.from_json(toy_spec().to_json()) == toy_spec()
    with pytest.raises(ModelError, match="description cannot be read"):
        NetworkSpec.from_json('{"task": "segment"}')
