"""What a report says beside its numbers: codes, and places in a person's program."""

import xcheck.findings
from xcheck.findings import Where


def test_codes_are_used_once() -> None:
    """A code does not change its meaning."""
    codes = [value for value in vars(xcheck.findings).values() if isinstance(value, str) and value.startswith("XC")]
    assert len(codes) > 80
    assert len(set(codes)) == len(codes)


def test_a_place_in_few_words() -> None:
    """The operation, and the line of a file whose folder is not told."""
    assert Where(operation="rms_norm", file="/home/me/layers.py", line=41).short == "`rms_norm` at layers.py:41"
    assert Where(operation="rms_norm").short == "`rms_norm`"
