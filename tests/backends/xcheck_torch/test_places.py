"""The line of a person's program that torch is called from."""

import inspect

from xcheck.trace import Place
from xcheck_torch.places import at, newest_place


def test_the_newest_line_outside_torch_and_xcheck() -> None:
    """This one; nothing is looked at beyond the boundary."""
    frame = inspect.currentframe()
    assert frame is not None
    found = newest_place((lambda: None).__code__)
    assert found is not None
    assert (found.file, found.line) == (__file__, frame.f_lineno - 2)
    assert "newest_line" in found.function
    assert newest_place(frame.f_code) is None


def test_places_in_sentences() -> None:
    """Nothing where nothing is known."""
    assert (at(Place("loss.py", 3)), at(None)) == (" at loss.py:3", "")
