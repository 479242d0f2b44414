"""The shipped weights and one phantom study, shared by the tests of this folder."""

from pathlib import Path

import pytest

from scarnet_cli.model.weights import TrainedNetwork, load_weights
from scarnet_cli.phantom.make import Phantom, make_phantom

WEIGHTS = Path(__file__).parents[2] / "weights"


@pytest.fixture(scope="session")
def localiser() -> TrainedNetwork:
    return load_weights(WEIGHTS / "localiser.safetensors")


@pytest.fixture(scope="session")
def segmenter() -> TrainedNetwork:
    return load_weights(WEIGHTS / "scarnet.safetensors")


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return make_phantom(seed=2)
