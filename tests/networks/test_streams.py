"""The random numbers of declared networks."""

from xcheck.networks.streams import mask_generator, theta_generator


def test_each_purpose_has_numbers_of_its_own() -> None:
    """θ and the masks differ, and so do the masks of two steps; a seed gives the same again."""
    made = [theta_generator(3), mask_generator(3), mask_generator(3, 1), mask_generator(3, 2)]
    assert len({generator.random() for generator in made}) == len(made)
    assert theta_generator(3).random() == theta_generator(3).random()
