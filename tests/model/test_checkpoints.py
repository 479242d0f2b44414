import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hearts import toy_spec
from torch import Tensor

from scarnet_cli.errors import ModelError
from scarnet_cli.model.checkpoints import import_checkpoint, read_checkpoint
from scarnet_cli.model.encoders import SamViTB
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.tiny_vit import TinyViT

SCARNET = replace(
    toy_spec(), name="scarnet", architecture="scarnet", options={"encoder": "tiny_vit", "features": 4, "levels": 2}
)


def filled(network: torch.nn.Module, prefix: str = "", value: float = 0.25) -> dict[str, Tensor]:
    """Return a state_dict of one value; expanded tensors take no room on disk."""
    return {prefix + key: torch.tensor(value).expand(own.shape) for key, own in network.state_dict().items()}


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "model", "module."])
def test_a_state_dict_is_found_wherever_programs_keep_it(tmp_path: Path, wrap: str) -> None:
    tensors = filled(build_model(toy_spec()), wrap if wrap.endswith(".") else "")
    content = {wrap: tensors, "epoch": 3} if wrap in ("state_dict", "model") else tensors
    network, spec = import_checkpoint(saved(content, tmp_path / "a.pth"), toy_spec())
    assert spec == toy_spec()
    assert all(bool((value == 0.25).all()) for value in network.parameters())


def test_our_own_checkpoint_gives_the_average_and_keeps_its_own_options(tmp_path: Path) -> None:
    theirs = replace(toy_spec(), options={"features": 8, "levels": 2})
    network = build_model(theirs)
    content = {
        "network": filled(network, value=9.0),
        "average": filled(network),
        "finished": 3,
        "spec": theirs.to_json(),
    }
    path = saved(content, tmp_path / "checkpoint.pt")
    decision = {"scar_share": 0.4}
    imported, spec = import_checkpoint(path, replace(toy_spec(), decision=decision))
    assert spec == replace(theirs, decision=decision)
    assert bool((next(imported.parameters()) == 0.25).all())
    with pytest.raises(ModelError, match=r"checkpoint\.pt is of the model 'toy', not of 'scarnet'"):
        import_checkpoint(path, SCARNET)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    path = saved({"state_dict": filled(build_model(toy_spec())), "extra": Evil(tmp_path / "made")}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"a\.pth holds more than tensors.*refused"):
        read_checkpoint(path)
    assert not (tmp_path / "made").exists()


def test_a_tensor_of_another_shape_raises_with_its_key_and_both_shapes(tmp_path: Path) -> None:
    path = saved(filled(build_model(replace(toy_spec(), options={"features": 8, "levels": 3}))), tmp_path / "a.pth")
    with pytest.raises(
        ModelError, match=r"encoder\.0\.0\.weight is \(8, 3, 3, 3\) there and \(4, 3, 3, 3\) in the net"
    ):
        import_checkpoint(path, toy_spec())


def test_a_missing_tensor_raises_with_its_key(tmp_path: Path) -> None:
    tensors = filled(build_model(toy_spec()))
    del tensors["head.bias"]
    with pytest.raises(ModelError, match=r"head\.bias \(5,\) is missing there"):
        import_checkpoint(saved(tensors, tmp_path / "a.pth"), toy_spec())


@pytest.mark.parametrize(("content", "words"), [({"epoch": 3}, "no tensors by name"), ([1, 2], "no tensors by name")])
def test_a_file_without_named_tensors_raises(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_checkpoint(saved(content, tmp_path / "a.pth"))


def test_a_cut_checkpoint_raises(tmp_path: Path) -> None:
    path = saved({"a": torch.rand(1000)}, tmp_path / "a.pth")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ModelError, match=r"a\.pth is not a complete checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("prefix", ["", "image_encoder.", "module.image_encoder."])
def test_an_image_encoder_alone_or_in_a_whole_model_fills_scarnet_s(tmp_path: Path, prefix: str) -> None:
    tensors = filled(TinyViT(), prefix)
    if prefix:
        tensors[prefix.replace("image_encoder", "mask_decoder") + "iou_token.weight"] = torch.zeros(1, 256)
    network, spec = import_checkpoint(saved(tensors, tmp_path / "a.pth"), SCARNET)
    assert not spec.trained
    (encoder,) = (module for module in network.modules() if isinstance(module, TinyViT))
    inside = {id(value) for value in encoder.parameters()}
    for value in network.parameters():
        assert bool((value == 0.25).all()) is (id(value) in inside)


def test_an_encoder_s_tensor_of_another_shape_raises_with_its_key_and_both_shapes(tmp_path: Path) -> None:
    tensors = filled(TinyViT(), "image_encoder.")
    tensors["image_encoder.neck.0.weight"] = torch.zeros(128, 320, 1, 1)
    expected = r"neck\.0\.weight is \(128, 320, 1, 1\) there and \(256, 320, 1, 1\) in the network"
    with pytest.raises(ModelError, match=expected):
        import_checkpoint(saved(tensors, tmp_path / "a.pth"), SCARNET)


def test_sam_s_vit_b_as_its_checkpoints_have_it_fills_scarnet_s(tmp_path: Path) -> None:
    pytest.importorskip("segment_anything")
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in SamViTB().state_dict().items()}
    tensors = {f"image_encoder.{key}": torch.tensor(0.25).expand(shape) for key, shape in shapes.items()}
    assert tensors["image_encoder.pos_embed"].shape == (1, 64, 64, 768)
    tensors["prompt_encoder.no_mask_embed.weight"] = torch.zeros(1, 256)
    options = {"encoder": "vit_b", "features": 4, "levels": 2}
    network, spec = import_checkpoint(saved(tensors, tmp_path / "sam_vit_b.pth"), replace(SCARNET, options=options))
    (encoder,) = (module for module in network.modules() if isinstance(module, SamViTB))
    assert all(bool((value == 0.25).all()) for value in encoder.parameters())
    assert not spec.trained
