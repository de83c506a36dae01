"""The command `explain`: pages of codes, and components."""

import json
import re

import pytest

from tests.commands import SMALL, Typist
from xcheck.pages import codes, page

PYTHON = """
import numpy as np
import xcheck

def loss(params, x):
    return np.abs(x @ params["w"]).sum() + params["scale"] ** 3

def gradient(params, x):
    return {"w": x.T @ np.sign(x @ params["w"]), "scale": 3 * params["scale"] ** 2}

def _case(w, gradient):
    params = {"w": np.array(w), "scale": np.array(2.0)}
    return xcheck.Case(xcheck.objective(loss, "numpy", gradient=gradient), params, (np.eye(2),))

right = _case([0.0, 2.0], gradient)
wrong = _case([0.0, 2.0], lambda params, x: {"w": 5 + params["w"], "scale": 2 * params["scale"] ** 2})
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with model.toml and model.py to type commands in."""
    (typist.folder / "model.toml").write_text(SMALL)
    (typist.folder / "model.py").write_text(PYTHON)
    return typist


def test_a_page_is_printed_as_it_is_in_a_pipe(typed: Typist) -> None:
    """Whatever the case of the code."""
    assert typed("explain", "xc404") == (0, page("XC404").text, "")


def test_a_page_is_rendered_on_a_terminal(typed: Typist) -> None:
    """By rich: headings are no longer marked by number signs."""
    out = typed("explain", "XC404", "--color", "always").out
    assert "What it means" in out
    assert "## What it means" not in out


def test_without_an_argument_all_codes_are_listed(typed: Typist) -> None:
    """With their titles."""
    lines = typed("explain").out.splitlines()
    assert lines == [f"{code}  {page(code).title}" for code in codes()]


def test_a_page_as_json(typed: Typist) -> None:
    """One object for each code."""
    found = json.loads(typed("explain", "XC404", "--format", "json").out)
    assert (found["code"], found["title"]) == ("XC404", "at a kink")
    assert set(found) == {"code", "title", "summary", "text"}


def test_an_unknown_code(typed: Typist) -> None:
    """Did you mean; exit status 2."""
    assert typed("explain", "XC4055") == (2, "", "there is no code XC4055; did you mean XC405?\n")
    assert typed("explain", "XC041").err == "there is no code XC041; did you mean XC241 or XC401?\n"


def test_a_code_unlike_any_other(typed: Typist) -> None:
    """Nothing is proposed for XC999, which is XC429 to three characters of five."""
    done = typed("explain", "XC999")
    assert done.status == 2
    assert re.fullmatch(
        r"there is no code XC999; there are XC101 to XC1\d\d, XC200 to XC2\d\d and XC401 to XC4\d\d: "
        r"python -m xcheck explain lists them\n",
        done.err,
    )


@pytest.mark.parametrize("arguments", [["model.toml"], ["model.toml", "b1[0]", "b1[1]"], ["XC404", "b1[0]"]])
def test_what_cannot_be_meant(typed: Typist, arguments: list[str]) -> None:
    """A MODEL goes with one component."""
    done = typed("explain", *arguments)
    assert (done.status, done.out) == (2, "")


def test_the_right_component_is_told_by_the_cli(typed: Typist) -> None:
    """Text and JSON, and exit status 0."""
    done = typed("explain", "model.toml", "W1[3, 1]")
    assert done.status == 0
    assert done.out.startswith("AGREE  model.toml, W1[3, 1]: numpy is right\n")
    assert done.out.endswith("  again: python -m xcheck explain model.toml 'W1[3, 1]' --seed 0\n")
    found = json.loads(typed("explain", "model.toml", "W1[3, 1]", "--format", "json").out)
    assert found["component"]["flat"] == 10
    assert len(found["sweep"]) == 12
    assert found["witnesses"][0]["verdict"] == "AGREE"


def test_an_unknown_component_is_2(typed: Typist) -> None:
    """Before anything is computed."""
    done = typed("explain", "model.toml", "W1[4, 0]")
    assert done == (2, "", "W1[4, 0] is out of range: W1 has shape (4, 3), index 0 goes from 0 to 3\n")


def test_one_of_several_cases_must_be_named(typed: Typist) -> None:
    """All are listed."""
    done = typed("explain", "model.py", "scale")
    expected = "model.py: has several cases; name one of model.py::right, model.py::wrong\n"
    assert done == (2, "", expected)


def test_settings_mean_the_same_as_in_a_check(typed: Typist) -> None:
    """Another seed is another θ, another dtype another tolerance, and another backend another witness."""
    command = ("explain", "model.toml", "W1[3, 1]", "--format", "json")
    plain = json.loads(typed(*command).out)
    other = json.loads(typed(*command, "--seed", "1", "--dtype", "float32", "--backend", "jax").out)
    assert plain["component"]["theta"] != other["component"]["theta"]
    assert (plain["tolerance"], other["tolerance"]) == (1e-7, 2.0**-14)
    assert other["witnesses"][0]["name"] == "jax"


def test_a_kink_of_a_function(typed: Typist) -> None:
    """|w| at w = 0, in a file of one's own."""
    done = typed("explain", "model.py::right", "w[0]")
    assert done.status == 0
    assert "right: at a kink, any slope in [-1, 1] is" in done.out
    assert "nearest kink along this component: at θ" in done.out


def test_outside_the_slopes_at_a_kink_is_wrong(typed: Typist) -> None:
    """5 is no subgradient of |w|."""
    done = typed("explain", "model.py::wrong", "w[0]")
    assert done.status == 1
    assert "numpy is wrong: outside [-1, 1], the slopes at the kink" in done.out.replace("\n", " ")


def test_a_scalar_of_a_function(typed: Typist) -> None:
    """By its name alone; the status is that of the component."""
    done = typed("explain", "model.py::wrong", "scale", columns=40)
    assert done.status == 1
    assert "0.6667 x the oracle" in done.out.replace("\n", " ")
    assert max(map(len, done.out.splitlines()[:-1])) <= 40
