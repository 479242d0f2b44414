import json
from dataclasses import asdict

import pytest

from scarnet_cli.errors import InputError
from scarnet_cli.train.losses import build_loss
from scarnet_cli.train.presets import PRESETS, change
from scarnet_cli.train.settings import MODELS


def test_every_preset_has_its_name_where_a_commands_help_finds_it_without_torch() -> None:
    assert tuple(PRESETS) == MODELS


def test_changes_reach_both_records_and_leave_the_rest() -> None:
    base = PRESETS["unet"]
    changed = change(base, {"settings": {"loss": "published", "learning_rate": 1}, "augmentation": {"rician": 0.05}})
    assert (changed.settings.loss, changed.settings.learning_rate, changed.augmentation.rician) == (
        "published",
        1,
        0.05,
    )
    assert (changed.settings.epochs, changed.augmentation.noise) == (base.settings.epochs, base.augmentation.noise)


@pytest.mark.parametrize("model", PRESETS)
def test_a_trainings_own_settings_change_nothing_and_its_loss_is_there(model: str) -> None:
    base = PRESETS[model]
    kept = json.loads(json.dumps({"settings": asdict(base.settings), "augmentation": asdict(base.augmentation)}))
    assert change(base, kept) == base
    build_loss(base.settings.loss, base.spec.task, base.settings.loss_options)


def test_all_wrong_settings_are_named_at_once() -> None:
    wrong = {"settings": {"epoch": 3, "batch": "ten"}, "augmentation": 5, "network": {}}
    with pytest.raises(InputError) as raised:
        change(PRESETS["unet"], wrong)
    for words in ("no 'network'", "settings has no 'epoch'", "batch is 'ten'", "'augmentation' is not a table"):
        assert words in str(raised.value)
