"""ScarNet with SAM's ViT-B, at its real size: 90 million parameters and an optimiser's state of each."""

from dataclasses import replace
from pathlib import Path

import torch
from hearts import toy_case

from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.batches import TrainingData
from scarnet_cli.train.loop import Trainer
from scarnet_cli.train.presets import PRESETS
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import make_stacks


def test_a_training_step_is_taken_and_the_next_one_resumes_it(tmp_path: Path) -> None:
    preset = PRESETS["scarnet_vit_b"]
    spec = replace(preset.spec, options={"features": 4, "levels": 3})  # the encoder's 90 million are enough to wait for
    stacks = make_stacks([toy_case("Case_0", scar=True, slices=4)], spec)
    data = TrainingData(train=stacks, extra=[], held_out=[])

    def trainer() -> Trainer:
        return Trainer(spec, Augmentation(window=32), TrainingSettings(epochs=2, batch=2))

    one = trainer()
    before = one.network.get_parameter("transformer.encoder.blocks.0.attn.qkv.weight").clone()
    one.train_epoch(data)
    learnt = one.network.get_parameter("transformer.encoder.blocks.0.attn.qkv.weight")
    assert not torch.equal(learnt, before)
    one.save(tmp_path / "checkpoint.pt", "")
    two = trainer()
    two.load(tmp_path / "checkpoint.pt", "")
    assert one.train_epoch(data) == two.train_epoch(data)
    for ours, theirs in zip(two.network.parameters(), one.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert sum(parameter.numel() for parameter in one.network.parameters()) > 85_000_000
