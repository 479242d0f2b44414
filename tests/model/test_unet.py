import torch

from scarnet_cli.model.unet import UNet, UNetOptions


def test_output_has_the_input_s_size_and_one_channel_a_class() -> None:
    network = UNet(3, 5, UNetOptions(features=4, levels=3)).eval()
    assert network(torch.zeros(2, 3, 32, 48)).shape == (2, 5, 32, 48)


def test_parameter_count_is_that_of_the_layers() -> None:
    # encoder 4: 3*4*9 + 4*4*9 + 2*(2*4); encoder 8: 4*8*9 + 8*8*9 + 2*(2*8)
    # decoder 4: 12*4*9 + 4*4*9 + 2*(2*4); head: 4*5 + 5
    expected = (108 + 144 + 16) + (288 + 576 + 32) + (432 + 144 + 16) + 25
    network = UNet(3, 5, UNetOptions(features=4, levels=2))
    assert sum(p.numel() for p in network.parameters()) == expected


def test_every_parameter_gets_a_gradient_and_evaluation_repeats() -> None:
    network = UNet(1, 2, UNetOptions(features=4, levels=3))
    image = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    network(image).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.parameters())
    network.eval()
    assert torch.equal(network(image), network(image))


def test_widths_double_up_to_the_most() -> None:
    assert UNetOptions(features=16, levels=6, most_features=128).widths() == [16, 32, 64, 128, 128, 128]
