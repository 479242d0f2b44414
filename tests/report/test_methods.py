"""The methods paragraph: what was used, and only that."""

from typing import Any

from scarnet_cli.report.methods import methods_paragraph

NETWORK: dict[str, Any] = {
    "model": "scarnet",
    "model_sha256": "ab" * 32,
    "segment_mode": "default",
    "localiser_sha256": "cd" * 32,
    "decision_scar_share": 0.5,
    "decision_least_expected_scar_percent": 2.5,
    "decision_least_mvo_percent": 0.0,
    "labels_source": "network",
    "pipeline_version": "0.1.0",
}
GIVEN: dict[str, Any] = {"labels_source": "given", "pipeline_version": "0.1.0"}


def test_networks_digests_thresholds_mode_and_counts_are_said() -> None:
    words = methods_paragraph(
        [NETWORK, {**NETWORK, "reviewed": "reject"}], 3, "0.2.0", {"scarnet": "0.1.0", "numpy": "2"}
    )
    assert "with ScarNet pipeline 0.1.0 (after Tavakoli" in words  # the rows' version, not the tables'
    assert "A network located the heart and each stack was cropped round it (weights SHA-256 cdcdcdcdcdcd)." in words
    assert "The network scarnet (weights SHA-256 abababababab) labelled" in words
    assert "in the short-axis slices, each seen in several views whose probabilities were averaged." in words
    assert "more than 0.5 of the myocardium's probability; a heart with less than 2.5 %" in words
    assert "a piece of MVO" not in words  # the weights leave none out
    older = {**NETWORK, "decision_least_scar_percent": 4.0, "decision_least_expected_scar_percent": 0.0}
    assert "; a heart with less than 4 % of scar as one without" in methods_paragraph([older], 0, "", {})
    assert "Of 5 studies found, 2 were measured; 1 rejected by a reader was left out. Software: numpy 2." in words
    assert "fast" not in words


def test_fast_mode_is_said_of_all_or_of_how_many() -> None:
    fast = {**NETWORK, "segment_mode": "fast"}
    assert "in the short-axis slices, each seen once (--fast)." in methods_paragraph([fast], 0, "", {})
    mixed = methods_paragraph([fast, NETWORK], 0, "", {})
    assert "were averaged, but in 1 study each seen once (--fast)." in mixed


def test_label_maps_from_elsewhere_are_said_and_without_a_network_there_is_none() -> None:
    words = methods_paragraph([GIVEN, {**GIVEN, "half_of": "rise_above_remote"}], 0, "0.1.0", {})
    assert "In 2 studies a label map given with the study was measured instead." in words
    assert "in 1 study with bright remote myocardium" in words
    assert "network" not in words.lower()
    one = methods_paragraph([NETWORK, {**NETWORK, "model": None, "labels_source": "corrected"}], 0, "", {})
    assert "in the short-axis slices of 1 study, each" in one
    assert "In 1 study a label map corrected by a reader was measured instead." in one


def test_tables_without_studies_have_a_paragraph() -> None:
    assert methods_paragraph([], 0, "", {}).endswith("Of 0 studies found, 0 were measured.")


def test_the_command_of_another_network_is_said_in_place_of_ours() -> None:
    theirs = {**GIVEN, "labels_source": "network", "model": "predict {images} {labels}", "segment_mode": "command"}
    words = methods_paragraph([theirs], 0, "0.1.0", {})
    assert "(MVO) were labelled by the command predict {images} {labels} in place of the pipeline's networks." in words
    assert "several views" not in words
    both = methods_paragraph([NETWORK, theirs], 0, "0.1.0", {})
    assert "in the short-axis slices of 1 study, each seen" in both
    assert "(MVO) of 1 study were labelled by the command" in both
