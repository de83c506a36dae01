"""How many components are looked at, told from their work."""

import numpy as np

from xcheck.certificates.work import Work
from xcheck.checks.accuracy.plan import at_once, choose_components


def test_memory_bounds_the_directions_at_once() -> None:
    """One at least."""
    assert at_once(Work(10)) == 64
    assert 1 < at_once(Work(10**5)) < 64
    assert at_once(Work(10**9)) == 1


def test_a_draw_is_repeated_by_its_seed() -> None:
    """Ascending, without repetitions."""
    first, again, other = (choose_components(1000, 50, Work(10), 10.0, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (np.diff(first) > 0).all()
