"""Memory of a process, and what a part of its work takes."""

import numpy as np

from benchmarks.measure.memory import Growth, held, peak

_LARGE = 1 << 23  # numbers of eight bytes


def test_a_process_holds_what_is_written() -> None:
    """Its peak is no less."""
    before = held()
    kept = np.ones(_LARGE)
    assert held() - before > kept.nbytes // 2
    assert peak() >= held() - (1 << 20)


def test_growth_is_that_of_the_body() -> None:
    """What other work keeps is not counted, what the body lets go again counts for the most."""
    growth, other = Growth(), []
    for _ in range(3):
        other.append(np.ones(_LARGE))
        with growth.counted():
            np.ones(_LARGE // 8)
    assert growth.most < other[0].nbytes
    with growth.counted():
        kept = np.ones(_LARGE)
    assert growth.kept > kept.nbytes // 2
    assert growth.most >= growth.kept
