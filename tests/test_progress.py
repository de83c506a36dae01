"""Progress is counted in differences."""

from xcheck.progress import counted


def test_nobody_asks() -> None:
    """Then nothing is counted."""
    assert counted(None, 5) is None


def test_more_than_planned() -> None:
    """Is no more than everything: a bar never runs past its end."""
    seen: list[tuple[int, int]] = []
    advance = counted(lambda done, planned: seen.append((done, planned)), 5)
    assert advance is not None
    for more in (2, 2, 2):
        advance(more)
    assert seen == [(2, 5), (4, 5), (6, 6)]
