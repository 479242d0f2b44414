import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hearts import toy_case, toy_spec

from scarnet_cli.train.batches import TrainingData, ahead, draw_picks, training_data
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import make_stacks


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


def test_every_real_slice_is_drawn_once_and_a_share_of_the_extra_ones() -> None:
    stacks = make_stacks([toy_case(f"{i}", scar=True, slices=8) for i in range(3)], toy_spec())
    data = TrainingData(train=stacks[:2], extra=stacks[2:], held_out=[])
    batches = draw_picks(data, TrainingSettings(batch=4, extra_fraction=0.25), generator())
    # 16 real slices, and a quarter as many of the 8 extra ones
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 4]
    drawn = {pick for batch in batches for pick in batch}
    assert len(drawn) == 20
    assert sum(stack == 2 for stack, _ in drawn) == 4
    assert draw_picks(data, TrainingSettings(batch=4, extra_fraction=0.25), generator()) == batches


def test_half_a_batch_left_over_is_no_batch() -> None:
    stacks = make_stacks([toy_case("a", scar=True, slices=20)], toy_spec())
    data = TrainingData(train=stacks, extra=[], held_out=[])
    for size, sizes in ((8, [8, 8]), (6, [6, 6, 6]), (7, [7, 7, 6])):
        assert [len(b) for b in draw_picks(data, TrainingSettings(batch=size), generator())] == sizes


def test_cases_held_out_are_apart_and_the_digest_knows() -> None:
    cases = [toy_case(f"{i}", scar=i == 0) for i in range(3)]
    data = training_data(cases, ["1"], [], toy_spec())
    assert (len(data.train), len(data.extra), len(data.held_out)) == (2, 0, 1)
    others = (
        training_data(cases, ["2"], [], toy_spec()),
        training_data(cases[:2], ["1"], [], toy_spec()),
        training_data(cases, ["1"], [toy_case("phantom", scar=True)], toy_spec()),
        training_data([replace(cases[0], labels=cases[1].labels), *cases[1:]], ["1"], [], toy_spec()),
    )
    assert len({data.sha256, *(other.sha256 for other in others)}) == 5
    assert training_data(cases, ["1"], [], toy_spec()).sha256 == data.sha256


def test_items_come_in_order_and_the_next_is_made_meanwhile() -> None:
    made: list[int] = []

    def slow() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number

    used: list[int] = []
    for item in ahead(slow()):
        deadline = time.monotonic() + 10
        while len(made) < min(item + 2, 4) and time.monotonic() < deadline:
            time.sleep(0.001)
        used.append(item)
        assert len(made) == min(item + 2, 4)
    assert used == [0, 1, 2, 3]


def test_an_error_while_a_batch_is_made_reaches_the_training() -> None:
    def broken() -> Iterator[int]:
        yield 1
        message = "no slice"
        raise LookupError(message)

    with pytest.raises(LookupError, match="no slice"):
        list(ahead(broken()))
