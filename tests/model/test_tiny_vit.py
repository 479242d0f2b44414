import pytest
import torch
from torch import nn

from scarnet_cli.model.tiny_vit import TinyViT, WindowAttention


def test_it_has_the_parameters_of_lite_medsam_s_encoder() -> None:
    # 5726740: counted in LiteMedSAM's checkpoint over the keys of its image encoder, without the norms' statistics
    assert sum(p.numel() for p in TinyViT().parameters()) == 5726740


@pytest.mark.parametrize(("height", "width"), [(40, 40), (32, 64), (56, 60)])
def test_features_are_at_a_quarter_a_half_and_the_full_size(height: int, width: int) -> None:
    with torch.no_grad():
        tokens, skips = TinyViT().eval()(torch.rand(1, 3, height, width))
    assert tokens.shape == (1, 256, height // 4, width // 4)
    assert [s.shape for s in skips] == [(1, 128, height // 2, width // 2), (1, 64, height, width)]


def test_training_keeps_the_statistics_of_pretraining() -> None:
    encoder = TinyViT().train()
    before = {k: v.clone() for k, v in encoder.state_dict().items() if "running" in k}
    encoder(torch.rand(2, 3, 32, 32))
    assert all(torch.equal(encoder.state_dict()[key], value) for key, value in before.items())


def test_every_parameter_gets_a_gradient() -> None:
    encoder = TinyViT().train()
    tokens, skips = encoder(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    (tokens.square().sum() + sum(s.square().sum() for s in skips)).backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None] == []


def test_attention_adds_the_bias_of_the_distance_between_two_tokens() -> None:
    attention = WindowAttention(32, window=7)
    nn.init.zeros_(attention.qkv.weight)
    nn.init.zeros_(attention.qkv.bias)
    nn.init.eye_(attention.proj.weight)
    nn.init.zeros_(attention.proj.bias)
    # value = the token's norm'd input; query and key are zero, so the weights come from the biases alone
    with torch.no_grad():
        attention.qkv.weight[64:] = torch.eye(32)
        attention.attention_biases[0, 1] = 50.0  # one column apart, same row
    tokens = torch.randn(1, 9, 32, generator=torch.Generator().manual_seed(0))
    mixed = attention(tokens, side=3)
    # in a 3 x 3 window the only token one column from (0, 0) is (0, 1)
    torch.testing.assert_close(mixed[0, 0], attention.norm(tokens)[0, 1])
