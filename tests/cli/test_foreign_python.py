"""Settings of another Python, and files of the launch folder, do not reach the command line."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("program", ["bin/scarnet", ".venv/bin/scarnet"])
def test_another_python_s_numpy_is_not_loaded(tmp_path: Path, program: str) -> None:
    for folder in ("module", "launch"):
        (tmp_path / folder / "numpy").mkdir(parents=True)
        (tmp_path / folder / "numpy" / "__init__.py").write_text("raise ImportError('numpy of another Python')")
    settings = {
        "PYTHONPATH": str(tmp_path / "module"),
        "PYTHONHOME": str(tmp_path / "nowhere"),
        "PYTHONSTARTUP": str(tmp_path / "nowhere"),
        "LANG": "C",
    }
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | settings
    command = [ROOT / program, "quantify", "none", "none", "--out", tmp_path / "out"]
    launch = tmp_path / "launch"
    done = subprocess.run(command, cwd=launch, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "does not exist" in " ".join(done.stderr.replace("│", "").split())
