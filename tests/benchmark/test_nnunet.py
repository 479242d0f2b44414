from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hearts import toy_case

from scarnet_cli.benchmark.nnunet import run_nnunet, write_raw_data
from scarnet_cli.cli.nnunet import nnunet
from scarnet_cli.errors import ModelError
from scarnet_cli.files import read_json
from scarnet_cli.image.volume import read_nifti

without_nnunet = pytest.mark.skipif(find_spec("nnunetv2") is not None, reason="nnU-Net is installed")


def test_raw_data_has_nnunets_layout(tmp_path: Path) -> None:
    cases = [toy_case(f"Case_{i}", scar=True) for i in range(2)]
    write_raw_data(tmp_path, cases)
    assert sorted(path.name for path in (tmp_path / "imagesTr").iterdir()) == [
        "Case_0_0000.nii.gz",
        "Case_1_0000.nii.gz",
    ]
    np.testing.assert_array_equal(read_nifti(tmp_path / "labelsTr" / "Case_1.nii.gz").array, cases[1].labels.array)
    dataset = read_json(tmp_path / "dataset.json")
    assert dataset["labels"] == {"background": 0, "blood_pool": 1, "myocardium": 2, "scar": 3, "mvo": 4}
    assert (dataset["numTraining"], dataset["file_ending"]) == (2, ".nii.gz")


@without_nnunet
def test_without_nnunet_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"pip install 'scarnet-cli\[nnunet\]'"):
        run_nnunet([], [], 1, tmp_path)


@without_nnunet
def test_without_nnunet_the_pipeline_gets_the_message_in_a_file(tmp_path: Path) -> None:
    problem = tmp_path / "problem.txt"
    arguments = [str(tmp_path), "--fold", "0", "--problem", str(problem), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(nnunet, arguments).exit_code == 0
    assert problem.read_text().count("\n") == 1
    assert "nnU-Net is not installed" in problem.read_text()
    assert not (tmp_path / "out").exists()
