import pytest
from hearts import toy_spec

from scarnet_cli.benchmark import cost
from scarnet_cli.benchmark.cost import measure_cost
from scarnet_cli.errors import ModelError
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec, Task
from scarnet_cli.model.weights import TrainedNetwork


def trained(spec: NetworkSpec) -> TrainedNetwork:
    """Return random weights."""
    return TrainedNetwork(build_model(spec).eval(), spec, "ab" * 32)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(cost, "_BATCHES", (1, 2))


def test_cost_counts_parameters_operations_and_slices() -> None:
    network = trained(toy_spec())
    found = measure_cost(network)
    assert found.parameters == sum(p.numel() for p in network.network.parameters())
    assert found.slices_per_second_best >= found.slices_per_second > 0
    assert found.best_batch in {1, 2}
    assert (found.device, found.model_sha256) == ("cpu", "ab" * 32)


def test_operations_grow_with_the_square_of_the_features() -> None:
    wide = toy_spec()
    wide.options["features"] = 8
    ratio = measure_cost(trained(wide)).gflop_per_slice / measure_cost(trained(toy_spec())).gflop_per_slice
    assert 3.0 < ratio < 4.0  # all but the first and the last convolution have four times as many


def test_a_localiser_has_no_cost_of_a_crop() -> None:
    with pytest.raises(ModelError, match="not for segment"):
        measure_cost(trained(toy_spec(Task.LOCALISE)))


def test_a_network_that_takes_no_box_has_no_prompted_cost() -> None:
    with pytest.raises(ModelError, match="toy takes no box"):
        measure_cost(trained(toy_spec()), prompted=True)
