"""The command `accuracy`."""

import json

import pytest

from tests.commands import SMALL, Typist
from xcheck.checks.accuracy import measure

PYTHON = """
import jax.numpy as jnp
import xcheck

def cube(x):
    return (x**3).sum()

right = xcheck.Case(cube, jnp.array([1.0, 2.0, 3.0]))
unknown = xcheck.Case(lambda x: jnp.fmod(x, 0.7).sum(), jnp.array([1.0, 2.0]))
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with model.toml and model.py to type commands in."""
    (typist.folder / "model.toml").write_text(SMALL)
    (typist.folder / "model.py").write_text(PYTHON)
    return typist


def test_a_definition_is_measured(typed: Typist) -> None:
    """In its own dtype, and 40 columns are enough; the command is in the last line."""
    done = typed("accuracy", "model.toml", "--dtype", "float32", columns=40)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("AGREE  model.toml: numpy is off by")
    assert "numpy: errors in ulps of float32" in done.out
    assert done.out.endswith("again: python -m xcheck accuracy model.toml --dtype float32 --seed 0\n")
    assert all(len(line) <= 40 for line in done.out.splitlines() if "again:" not in line)


def test_the_worst_of_several_decides(typed: Typist) -> None:
    """One line of JSON for each, in order; what cannot be proved is undecided."""
    done = typed("accuracy", "model.py", "--most", "2", "--format", "json")
    assert done.status == 3
    right, unknown = [json.loads(line) for line in done.out.splitlines()]
    assert (right["model"], right["exit"], right["looked"], right["parameters"]) == ("model.py::right", 0, 2, 3)
    assert right["witnesses"][0]["worst"] == 0
    assert (unknown["model"], unknown["exit"]) == ("model.py::unknown", 3)
    assert "model.py:" in unknown["headline"]


def test_without_flint_the_status_is_4(typed: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of any framework that is missing, before any MODEL is run."""
    monkeypatch.setattr(measure, "has_flint", lambda: False)
    done = typed("accuracy", "model.py")
    assert (done.status, done.out) == (4, "")
    assert done.err == "python-flint: it is not installed; to install it: pip install 'xcheck-grad[proof]'\n"


def test_a_number_of_components_is_positive(typed: Typist) -> None:
    """Anything else is a usage error."""
    done = typed("accuracy", "model.toml", "--most", "0")
    assert done.status == 2
    assert "--most" in done.err
