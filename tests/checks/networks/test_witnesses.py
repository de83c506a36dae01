"""Plug-ins: found like anybody else's, missing ones named, a broken one fails alone."""

import pytest

from tests.conftest import Plugins
from xcheck import verify
from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.errors import BackendError, DefinitionError
from xcheck.networks.problem import Problem

ABSENT = """
from xcheck.testing import FAULTS, Planted
from xcheck_numpy import NumpyBackend

class Absent(NumpyBackend):
    name = "absent"
    install = "pip install absent"
    def available(self):
        return "absent is not installed"

backend = Absent()
"""
FAILING = """
from xcheck_numpy import NumpyBackend

class Failing(NumpyBackend):
    name = "failing"
    def network_objective(self, problem, **settings):
        raise RuntimeError("out of cheese")

backend = Failing()
"""
BROKEN = "import no_such_framework\nbackend = None\n"


def test_our_backends_come_first() -> None:
    """numpy, torch, jax, in this order."""
    assert registry.names()[:3] == ("numpy", "torch", "jax")


def test_a_plug_in_of_a_third_party_is_found(plugins: Plugins) -> None:
    """It takes the same road: an entry point."""
    plugins.add("absent", ABSENT)
    assert "absent" in registry.names()
    assert isinstance(registry.get("absent"), Backend)


def test_a_backend_that_was_asked_for_and_is_not_installed_is_an_error(plugins: Plugins, problem: Problem) -> None:
    """Only that one fails, with the command that installs it; the others are compared all the same."""
    plugins.add("absent", ABSENT)
    report = verify(problem, backends=["numpy", "absent"])
    assert (report.verdict, report.verdict.exit_status) == ("ERROR", 4)
    assert [f.text for f in report.findings] == ["absent: absent is not installed; to install it: pip install absent"]
    assert [(pair.a, pair.verdict) for pair in report.pairs] == [("numpy", "AGREE")]


def test_a_broken_plug_in_fails_alone_and_is_quoted(plugins: Plugins, problem: Problem) -> None:
    """The cause is in the report, and the rest is compared."""
    plugins.add("broken", BROKEN)
    report = verify(problem, backends=["numpy", "broken", "jax"])
    assert report.verdict == "ERROR"
    assert "No module named 'no_such_framework'" in report.headline
    assert {pair.verdict for pair in report.pairs} == {"AGREE"}


def test_a_failure_while_setting_up_is_quoted(plugins: Plugins, problem: Problem) -> None:
    """Whatever a plug-in raises comes out as its own failure."""
    plugins.add("failing", FAILING)
    report = verify(problem, backends=["failing", "numpy"])
    assert [finding.text for finding in report.findings] == ["failing: RuntimeError: out of cheese"]


def test_two_plug_ins_of_one_name_are_refused(plugins: Plugins) -> None:
    """Neither is picked in silence."""
    plugins.add("twin", ABSENT, package="first")
    plugins.add("twin", ABSENT, package="second")
    with pytest.raises(BackendError, match="two plug-ins have this name: first:backend and second:backend"):
        registry.get("twin")


def test_what_is_no_backend_is_refused(plugins: Plugins) -> None:
    """An entry point that leads to something else is named."""
    plugins.add("odd", "backend = 42\n")
    with pytest.raises(BackendError, match=r"plugin_odd:backend is not an xcheck\.backend\.Backend"):
        registry.get("odd")


def test_a_backend_that_nobody_provides_is_a_mistake_in_the_definition() -> None:
    """With "did you mean"."""
    definition = {
        "data": {"synthetic": {"inputs": 2}},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
    }
    with pytest.raises(DefinitionError, match="unknown backend 'nunpy'; did you mean 'numpy'"):
        verify(definition, backends=["nunpy"])
