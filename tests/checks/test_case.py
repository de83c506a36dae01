"""A case: functions with the point at which they are to be checked."""

import numpy as np
import pytest

import xcheck
from tests.checks.functions.layer import B
from xcheck.checks.case import is_case
from xcheck.errors import BackendError, DefinitionError


def cube() -> xcheck.Case:
    """Σ p³ with its gradient."""
    function = xcheck.objective(lambda p: (p**3).sum(), "numpy", gradient=lambda p: 3 * p**2)
    return xcheck.Case(function, B, settings={"tolerance": 1e-6})


def test_settings_of_a_check_override_its_own() -> None:
    """And its own override the defaults."""
    assert cube().check().tolerance == 1e-6
    assert cube().check(tolerance=1e-5).tolerance == 1e-5


def test_mistakes_are_said_under_settings() -> None:
    """Where a person has written them."""
    with pytest.raises(DefinitionError, match=r"settings\.order: 3 is neither 1 nor 2"):
        xcheck.Case(lambda p: p.sum(), B, settings={"order": 3}).check()


def test_some_of_its_functions() -> None:
    """By label or framework; a name that is neither is named, and so is what would leave nothing."""
    function = xcheck.objective(lambda p: (p**3).sum(), "numpy", gradient=lambda p: 3 * p**2)
    case = xcheck.Case({"mine": function, "yours": function}, B)
    assert [each.label for each in case.prepared(["mine"]).implementations] == ["mine"]
    assert [each.label for each in case.prepared(["numpy"]).implementations] == ["mine", "yours"]
    with pytest.raises(DefinitionError, match="--backend mien is no framework and no label; did you mean 'mine'"):
        case.prepared(["mien"])
    with pytest.raises(DefinitionError, match=r"--backend jax leaves no function to check; there are mine \(numpy\)"):
        case.prepared(["jax"])


def test_what_is_a_case() -> None:
    """A value, or a function that is marked to return one."""
    marked = xcheck.case(cube)
    assert is_case(cube())
    assert is_case(marked)
    assert not is_case(np.ones)
    assert not is_case("cube")


def test_a_framework_that_is_not_there() -> None:
    """An error with its own name."""
    with pytest.raises((DefinitionError, BackendError), match="tensorflow"):
        xcheck.Case(lambda p: p.sum(), B, settings={"backend": "tensorflow"}).check()
