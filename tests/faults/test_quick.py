"""The quick faults of the catalogue, injected into commands of stages; `make faults` injects all."""

import shutil
from pathlib import Path

import pytest

from faults.catalogue import FAULTS
from faults.commands import CommandScene, make_chain
from faults.play import play
from faults.preload import build_injector

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not here, which compiles the injector"),
]

QUICK = [fault.name for fault in FAULTS.values() if fault.quick]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    make_chain(folder, ("index", "convert", "crop"), studies=2)
    return folder


@pytest.mark.parametrize("name", QUICK)
def test_it_ends_as_promised(name: str, chain: Path, tmp_path: Path) -> None:
    scene = CommandScene(chain, build_injector(chain), tmp_path, name)
    outcome = play(FAULTS[name], scene, code="")
    assert outcome.wrong == []
    assert outcome.said
    assert outcome.accounted == "2 of 2"
