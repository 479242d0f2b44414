import pytest
import torch
from torch import nn

from scarnet_cli.model.attention import MultiScaleScarAttention, ScarAttention, SqueezeExcitation


@pytest.mark.parametrize("gate", [SqueezeExcitation(32), ScarAttention(32), MultiScaleScarAttention(32)])
def test_gates_keep_the_shape_and_every_parameter_learns(gate: nn.Module) -> None:
    features = torch.randn(4, 32, 10, 14, generator=torch.Generator().manual_seed(0))
    out = gate(features)
    assert out.shape == features.shape
    out.square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in gate.parameters())


def test_a_gate_scales_a_channel_by_one_factor_for_all_pixels() -> None:
    gate = SqueezeExcitation(8).eval()
    features = torch.rand(1, 8, 5, 6, generator=torch.Generator().manual_seed(0)) + 1.0
    ratio = gate(features) / features
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
    assert bool(((ratio > 0) & (ratio < 1)).all())


def test_scar_attention_of_zeros_is_zero() -> None:
    assert torch.equal(ScarAttention(16).eval()(torch.zeros(1, 16, 8, 8)), torch.zeros(1, 16, 8, 8))


def test_the_channel_gate_has_an_eighth_of_the_channels_in_its_middle() -> None:
    # 64 -> 8 without bias, batch norm of 8, 8 -> 64 with bias; 7 x 7 from 64 channels to one, batch norm of 1
    expected = 64 * 8 + 2 * 8 + 8 * 64 + 64 + 64 * 49 + 2
    assert sum(p.numel() for p in ScarAttention(64).parameters()) == expected
