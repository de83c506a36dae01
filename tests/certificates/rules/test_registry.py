"""The registry of rules."""

import pytest

from xcheck.certificates.rules import RULES
from xcheck.certificates.rules.registry import elementwise, rule


def test_a_name_has_one_rule() -> None:
    """Two would be one too many."""
    with pytest.raises(ValueError, match="exp has a rule already"):
        rule("exp")(lambda *given: given)
    with pytest.raises(ValueError, match="exp has a rule already"):
        elementwise("exp", lambda x: x)


def test_every_module_of_rules_is_found() -> None:
    """A word of each."""
    assert {"exp", "add", "sum", "scan", "zeta", "cholesky", "qr", "eigh"} <= set(RULES)
