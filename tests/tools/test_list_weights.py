import hashlib
from pathlib import Path

import pytest
from hearts import toy_weights
from list_weights import list_weights

SHA256 = hashlib.sha256(toy_weights()).hexdigest()


def test_digests_are_written_into_the_list_and_the_card(tmp_path: Path) -> None:
    (tmp_path / "toy.safetensors").write_bytes(toy_weights())
    (tmp_path / "toy.md").write_text("# toy\n\n- Digest (SHA-256): old\n- Limits: many.\n")
    (tmp_path / "SHA256SUMS").write_text("0  gone.safetensors\n")
    list_weights(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == f"{SHA256}  toy.safetensors\n"
    assert (tmp_path / "toy.md").read_text() == f"# toy\n\n- Digest (SHA-256): `{SHA256}`\n- Limits: many.\n"


@pytest.mark.parametrize("card", [None, "# toy\n"])
def test_weights_without_a_card_or_its_digest_s_line_raise_and_nothing_is_written(
    tmp_path: Path, card: str | None
) -> None:
    (tmp_path / "toy.safetensors").write_bytes(toy_weights())
    if card is not None:
        (tmp_path / "toy.md").write_text(card)
    with pytest.raises(ValueError, match=r"toy\.md is missing or has no line"):
        list_weights(tmp_path)
    assert not (tmp_path / "SHA256SUMS").exists()
