import torch

from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec, Task
from scarnet_cli.model.stack_net import StackedScarNet, StackNet, StackNetOptions, stack_input

SMALL = StackNetOptions((4, 8, 8))


def small() -> StackNet:
    torch.manual_seed(0)
    network = StackNet(5, SMALL).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def stack(slices: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, slices, 2, 16, 16, generator=generator)
    return image, torch.rand(1, slices, 5, 16, 16, generator=generator).softmax(dim=2), torch.ones(1, slices)


def test_an_untrained_network_leaves_the_slice_networks_probabilities_nearly_alone() -> None:
    image, probability, present = stack(4)
    corrected = StackNet(5, SMALL).eval()(image, probability, present).softmax(dim=2)
    assert (corrected - probability).abs().max() < 0.05


def test_padding_changes_nothing() -> None:
    network, (image, probability, present) = small(), stack(3)
    alone = network(image, probability, present)
    padded = [torch.cat([part, torch.ones_like(part[:, :2])], dim=1) for part in (image, probability)]
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0]])
    assert torch.allclose(network(padded[0], padded[1], mask)[:, :3], alone, atol=1e-5)


def test_a_slice_sees_its_neighbours() -> None:
    network, (image, probability, present) = small(), stack(5)
    changed = image.clone()
    changed[:, 4] += 1.0
    difference = (network(changed, probability, present) - network(image, probability, present)).abs()
    assert difference[:, 3].max() > 0


def test_the_stacks_own_scale_does_not_matter() -> None:
    signal = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[1.0, 1.0, 0.0]])
    both = [stack_input(signal, scaled, present)[:, :2] for scaled in (signal, 3 * signal + 2)]
    assert torch.allclose(both[0], both[1], atol=1e-4)
    assert both[0][:, :, 1].mean().abs() < 1e-5


def test_the_whole_model_is_built_from_its_spec_and_labels_slices() -> None:
    options = {"encoder": "tiny_vit", "encoder_scale": 0.5, "features": 4, "levels": 3, "neighbours": True}
    spec = NetworkSpec(
        "toy",
        Task.SEGMENT,
        "scarnet_stack",
        5,
        1.4,
        context=1,
        crop=32,
        options={**options, "stack": {"widths": [4, 8]}},
    )
    network = build_model(spec).eval()
    assert isinstance(network, StackedScarNet)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5, 32, 32)
