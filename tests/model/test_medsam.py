import numpy as np
import pytest
import torch

pytest.importorskip("segment_anything", reason="the package segment-anything is not installed")

from scarnet_cli.model.medsam import MedSam, MedSamOptions


@pytest.fixture(scope="module")
def network() -> MedSam:
    torch.manual_seed(0)
    return MedSam(5, MedSamOptions(encoder_scale=0.5))


def test_each_label_is_one_of_the_decoder_s_masks_and_the_background_is_zero(network: MedSam) -> None:
    with torch.no_grad():
        logits = network(torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (2, 5, 48, 48)
    assert not logits[:, 0].any()
    assert all(bool(logits[:, label].any()) for label in range(1, 5))


def test_a_slice_s_result_does_not_depend_on_its_batch(network: MedSam) -> None:
    images = torch.randn(3, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network(images)[1:2], network(images[1:2]), atol=1e-4, rtol=1e-4)


def test_what_segments_learns(network: MedSam) -> None:
    network.zero_grad()
    network.train()(torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    idle = {name.split(".")[0] + "." + name.split(".")[1] for name, p in network.named_parameters() if p.grad is None}
    # the guess of a mask's quality, and prompts that are points or masks, take no part
    assert idle == {"mask_decoder.iou_prediction_head", "prompt_encoder.point_embeddings", *_MASK_PROMPTS}


_MASK_PROMPTS = {"prompt_encoder.not_a_point_embed", "prompt_encoder.mask_downscaling"}


def test_boxes_give_one_mask_each_on_the_picture_s_own_grid(network: MedSam) -> None:
    picture = np.random.default_rng(0).random((60, 90)).astype(np.float32)
    masks = network.eval().segment_boxes(picture, [(10, 30, 20, 50), (0, 59, 0, 89)])
    assert [mask.shape for mask in masks] == [(60, 90), (60, 90)]
    assert masks[0].dtype == np.bool_


def test_it_has_the_parameters_of_lite_medsam(network: MedSam) -> None:
    # encoder 5.7 million, prompt encoder and mask decoder 4.1 million
    assert round(sum(p.numel() for p in network.image_encoder.parameters()) / 1e6, 1) == 5.7
    rest = [*network.prompt_encoder.parameters(), *network.mask_decoder.parameters()]
    assert round(sum(p.numel() for p in rest) / 1e6, 1) == 4.1


def test_a_number_of_labels_that_the_decoder_has_no_masks_for_is_refused() -> None:
    with pytest.raises(ValueError, match="draws 4 masks, so it cannot learn 2 labels"):
        MedSam(3, MedSamOptions())
