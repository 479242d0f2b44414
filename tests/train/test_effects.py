import pytest
import torch

from scarnet_cli.train.effects import add_ghosts, add_rician_noise, take_magnitude


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_rician_noise_lifts_the_dark_and_leaves_the_bright() -> None:
    image = torch.zeros(400, 1, 20, 20)
    image[..., 10:] = 1.0
    noisy = add_rician_noise(image, 0.1, generator())
    assert noisy.min() >= 0
    # SD = 0.1 u^2, u uniform: 0.1 / 3 in the mean. Of noise alone, magnitude is SD x sqrt(pi / 2); a bright pixel stays
    assert noisy[..., :10].mean().item() == pytest.approx(0.1 / 3 * 1.2533, rel=0.1)
    assert noisy[..., 10:].mean().item() == pytest.approx(1.0, abs=2e-3)


def test_a_ghost_is_a_copy_at_a_part_of_the_field_of_view() -> None:
    image = torch.zeros(20, 1, 60, 60)
    image[:, :, 5, 8] = 1.0
    # moved by 30, 20, 15 or 12 pixels, and again what came in from the mirror at the edge
    shifts = (30, 20, 15, 12)
    rows = [{(5 + s, 8), (s - 1 - 5, 8)} for s in shifts]
    columns = [{(5, 8 + s), (5, s - 1 - 8)} for s in shifts]
    for one in add_ghosts(image, 0.4, generator())[:, 0]:
        share = 1 - one[5, 8].item()
        places = {(y, x) for y, x in torch.nonzero(one).tolist()} - {(5, 8)}
        assert places in rows + columns
        assert all(one[place].item() == pytest.approx(share, abs=1e-6) for place in places)
        assert 0 < share <= 0.4


def test_a_ghost_leaves_no_seam() -> None:
    ramp = torch.linspace(0, 1, 60)[:, None].expand(12, 1, 60, 60)
    steps = add_ghosts(ramp, 0.5, generator()).diff(dim=2).abs()
    assert steps.max() <= 1 / 59 + 1e-6


def test_magnitude_is_the_distance_from_a_level_near_the_myocardiums() -> None:
    labels = torch.zeros(50, 4, 4, dtype=torch.long)
    labels[:, 0], labels[:, 1], labels[:, 2] = 1, 2, 3
    # background 0, blood pool 0.6, myocardium 0.2, scar 0.8
    image = torch.tensor([0.0, 0.6, 0.2, 0.8])[labels][:, None]
    magnitude = take_magnitude(image, labels, 1.0, generator())[:, 0]
    myocardium, scar, background = (magnitude[:, row, 0] for row in (1, 2, 3))
    # the null level is 0.2 +- 0.25 x 0.4
    assert bool((myocardium <= 0.1 + 1e-6).all())
    assert bool((scar > 0.5 - 1e-6).all())
    # as dark as can be before, brighter than myocardium after
    assert bool((background >= 0.1 - 1e-6).all())
    assert myocardium.std() > 0.01


def test_slices_without_heart_stay_as_they_are() -> None:
    image = torch.rand(6, 1, 8, 8, generator=generator())
    assert torch.equal(take_magnitude(image, torch.zeros(6, 8, 8, dtype=torch.long), 1.0, generator()), image)


def test_magnitude_is_taken_of_the_share_asked_for() -> None:
    labels = torch.tensor([[1, 2]]).repeat(10_000, 1, 1)
    image = torch.tensor([[0.6, 0.2]]).repeat(10_000, 1, 1, 1)
    changed = (take_magnitude(image, labels, 0.3, generator()) != image).flatten(1).any(dim=1)
    assert changed.float().mean().item() == pytest.approx(0.3, abs=0.02)
