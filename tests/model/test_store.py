import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest
from hearts import toy_spec, toy_weights

from scarnet_cli.errors import ModelError
from scarnet_cli.model.store import SHIPPED, find_weights, known_weights, read_weights_file, verified_sha256


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A folder as the pipeline's: two networks, one of them listed."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("unet", "other"):
        (folder / f"{name}.safetensors").write_bytes(toy_weights())
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(toy_weights()).hexdigest()}  unet.safetensors\n")
    return folder


def test_a_name_is_looked_up_in_the_pipeline_s_folder(shipped: Path) -> None:
    assert find_weights("unet", shipped=shipped) == shipped / "unet.safetensors"


def test_the_user_s_own_folder_is_looked_in_first(shipped: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "unet.safetensors").write_bytes(toy_weights(value=1.0))
    assert find_weights("unet", own, shipped) == own / "unet.safetensors"
    assert sorted(known_weights(own, shipped)) == ["other", "unet"]


def test_a_path_is_a_path_whatever_lies_in_the_folders(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_weights("shipped/unet.safetensors", shipped=shipped) == Path("shipped/unet.safetensors")
    with pytest.raises(ModelError, match=r"There is no weights file 'unet\.safetensors'"):
        find_weights("unet.safetensors", shipped=shipped)


def test_an_unknown_name_raises_and_lists_the_known_ones(shipped: Path) -> None:
    with pytest.raises(ModelError, match="no weights called 'unett'; known are other, unet"):
        find_weights("unett", shipped=shipped)


def test_a_file_says_its_network_its_size_and_whether_it_is_listed(shipped: Path) -> None:
    file = read_weights_file(shipped / "unet.safetensors")
    # (2, 3) values are trained; the four of running_mean are statistics
    assert (file.spec, file.parameters, file.tensors, file.listed) == (toy_spec(), 6, 2, True)
    assert not read_weights_file(shipped / "other.safetensors").listed


def test_another_file_under_a_listed_name_raises_also_through_a_link(shipped: Path, tmp_path: Path) -> None:
    (shipped / "unet.safetensors").write_bytes(toy_weights(value=1.0))
    (tmp_path / "unet.safetensors").symlink_to(shipped / "unet.safetensors")
    for path in (shipped / "unet.safetensors", tmp_path / "unet.safetensors"):
        with pytest.raises(ModelError, match=r"unet\.safetensors is not the file that SHA256SUMS beside it lists"):
            verified_sha256(path)


def test_a_cut_file_raises_by_its_digest_where_listed_and_by_its_length_where_not(shipped: Path) -> None:
    for name, words in (("unet", "cut or changed; fetch it again"), ("other", "is not a complete safetensors file")):
        path = shipped / f"{name}.safetensors"
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(ModelError, match=words):
            read_weights_file(path)


def test_a_list_of_digests_that_is_none_raises(shipped: Path) -> None:
    (shipped / "SHA256SUMS").write_text("unet\n")
    with pytest.raises(ModelError, match="SHA256SUMS beside the weights cannot be read"):
        verified_sha256(shipped / "unet.safetensors")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.safetensors")), ids=lambda path: path.stem)
def test_the_parameters_of_shipped_weights_are_those_of_the_network(path: Path) -> None:
    registry = pytest.importorskip("scarnet_cli.model.registry")
    file = read_weights_file(path)
    assert file.listed
    assert file.spec.trained
    assert file.parameters == sum(p.numel() for p in registry.build_model(file.spec).parameters())


def test_a_checkpoint_is_answered_with_the_weights_beside_it_or_how_to_make_them(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "checkpoint.pt", "w") as file:
        file.writestr("archive/data.pkl", b"")
    with pytest.raises(
        ModelError, match=r"not a weights file; `scarnet weights import .*checkpoint\.pt --model MODEL`"
    ):
        read_weights_file(tmp_path / "checkpoint.pt")
    (tmp_path / "weights.safetensors").write_bytes(toy_weights())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"^checkpoint\.pt is a torch checkpoint, .*; take weights\.safetensors\."):
        find_weights("checkpoint.pt", shipped=shipped)
