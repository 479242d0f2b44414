from dataclasses import replace

import pytest
import torch

from scarnet_cli.model.scarnet import ScarNet, ScarNetOptions
from scarnet_cli.model.take_over import take_over
from scarnet_cli.model.unet import UNet, UNetOptions
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.train.presets import PRESETS

TINY = ScarNetOptions(encoder="tiny_vit", encoder_scale=0.5, features=4, levels=3)


def crops(batch: int, size: int = 48) -> torch.Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_it_gives_one_map_a_class_and_in_training_those_of_both_paths_too() -> None:
    network = ScarNet(3, 5, TINY)
    fused, *paths = network(crops(2))
    assert [t.shape for t in (fused, *paths)] == [(2, 5, 48, 48)] * 3
    assert network.eval()(crops(2)).shape == (2, 5, 48, 48)


def test_every_parameter_gets_a_gradient_and_evaluation_repeats() -> None:
    network = ScarNet(3, 5, TINY)
    fused, *_ = network(crops(4))
    fused.square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    network.eval()
    with torch.no_grad():
        assert torch.equal(network(crops(2)), network(crops(2)))


def test_the_fusion_starts_as_the_paths_mean_so_that_what_a_path_learnt_before_shows() -> None:
    fused, transformer, convolution = ScarNet(3, 5, TINY)(crops(4))
    assert (fused - (transformer + convolution) / 2).abs().max() < 0.2


def test_the_encoder_sees_the_neighbours_if_it_shall() -> None:
    image = crops(1)
    other = image.clone()
    other[:, 0] += torch.randn(48, 48, generator=torch.Generator().manual_seed(1))
    for neighbours, same in ((False, True), (True, False)):
        path = ScarNet(3, 5, replace(TINY, neighbours=neighbours)).eval().transformer
        with torch.no_grad():
            assert torch.allclose(path(image), path(other)) == same
    with pytest.raises(ValueError, match="needs 3 channels, a context of 1; not 5"):
        ScarNet(5, 5, replace(TINY, neighbours=True))


def test_the_class_head_is_a_layer_of_the_network() -> None:
    # the published code drew a new random head in every pass
    heads = [name for name, _ in ScarNet(3, 5, TINY).named_parameters() if name.endswith("head.weight")]
    assert heads == ["transformer.head.weight", "convolution.head.weight"]


def test_decoder_reduction_and_heads_have_the_published_widths() -> None:
    path = ScarNet(1, 4, TINY).transformer
    widths = [block.get_submodule("body.0").get_parameter("weight").shape[0] for block in path.blocks]
    assert widths == [128, 64, 32]
    # 224 joined channels to 32: the three parts of one 1 x 1 convolution
    joined = [tuple(part.get_parameter("weight").shape) for part in path.reduce]
    assert joined == [(32, 128, 1, 1), (32, 64, 1, 1), (32, 32, 1, 1)]
    assert path.head.weight.shape == (4, 32, 1, 1)


def test_it_runs_on_windows_of_any_size() -> None:
    network = ScarNet(3, 5, TINY).eval()
    with torch.no_grad():
        small, large = network(crops(1, 40)), network(crops(1, 56))
    assert small.shape[-1] == 40
    assert large.shape[-1] == 56


def test_a_trained_u_net_fills_the_convolutional_path_and_leaves_the_rest() -> None:
    source, network = UNet(3, 5, UNetOptions(features=4, levels=3)), ScarNet(3, 5, TINY)
    gate = network.convolution.state_dict()["encoder.0.6.gate.0.weight"].clone()
    take_over(network, TrainedNetwork(source, PRESETS["unet"].spec, ""))
    own = network.convolution.state_dict()
    assert all(torch.equal(own[key], value) for key, value in source.state_dict().items())
    assert torch.equal(own["encoder.0.6.gate.0.weight"], gate)


def test_a_u_net_of_another_size_is_refused_by_the_key_that_does_not_fit() -> None:
    source = UNet(3, 5, UNetOptions(features=8, levels=3))
    with pytest.raises(Exception, match=r"another size .* encoder\.0\.0\.weight does not fit"):
        take_over(ScarNet(3, 5, TINY), TrainedNetwork(source, PRESETS["unet"].spec, "big"))


def test_the_published_size_takes_a_training_step() -> None:
    pytest.importorskip("segment_anything", reason="the package segment-anything is not installed")
    network = ScarNet(1, 4, ScarNetOptions())
    # SAM's ViT-B encoder alone
    assert sum(p.numel() for p in network.transformer.encoder.parameters()) == 89_670_912
    optimiser = torch.optim.Adam(network.parameters())
    image = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    before = network.transformer.head.weight.detach().clone()
    torch.stack([logits.square().mean() for logits in network(image)]).sum().backward()
    optimiser.step()
    assert not torch.equal(network.transformer.head.weight, before)
