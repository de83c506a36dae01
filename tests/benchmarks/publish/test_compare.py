import pytest

from benchmarks.publish.compare import compare, differing_machines
from tests.benchmarks.fakes import ENVIRONMENT, row


def test_the_ratio_is_that_of_the_medians() -> None:
    """New by old: below 1 is faster."""
    (change,) = compare([row(samples=(4.0, 4.0, 9.0))], [row(samples=(1.0, 2.0, 2.0))])
    assert (change.old, change.new, change.ratio) == (4.0, 2.0, 0.5)
    assert change.remarks == ()
    assert not change.worse


def test_a_row_that_became_invalid_is_worse_however_fast() -> None:
    """An invalid row is not fast: there is no ratio."""
    (change,) = compare([row()], [row(valid=False, verdict="disagree", samples=(0.1,))])
    assert change.ratio is None
    assert change.remarks == ("became invalid",)
    assert change.worse


def test_rows_that_appear_and_vanish_are_named() -> None:
    """A method that took no part is one that is not there."""
    old = [row(method="old"), row(method="gone"), row(method="absent", valid=None, samples=())]
    new = [row(method="old"), row(method="new"), row(method="absent")]
    remarks = {change.method: (change.remarks, change.worse) for change in compare(old, new)}
    assert remarks == {
        "old": ((), False),
        "new": (("appeared",), False),
        "absent": (("appeared",), False),
        "gone": (("vanished",), True),
    }


def test_a_fault_that_is_no_longer_found_is_worse() -> None:
    """It is named."""
    (change,) = compare([row()], [row(faults={"W2 x 2": False, "b1 x 4": True})])
    assert change.remarks == ("no longer found: W2 x 2",)
    assert change.worse


@pytest.mark.parametrize(("key", "value"), [("cpu", "another"), ("versions", {"xcheck": "1"}), ("threads", 64)])
def test_times_of_different_machines_are_marked(key: str, value: object) -> None:
    """What differs is named with both values; the commit may differ."""
    other = {**ENVIRONMENT, "commit": "def", key: value}
    (difference,) = differing_machines([row()], [row(environment=other)])
    assert difference == f"{key}: {ENVIRONMENT[key]} / {value}"
    assert differing_machines([row()], [row(environment={**ENVIRONMENT, "commit": "def"})]) == []
