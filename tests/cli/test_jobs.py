"""Python on the command line, as a process: exit statuses, streams, formats."""

import json
from pathlib import Path

import pytest

from tests.cli.test_main import run

MODEL = """
import numpy as np
import xcheck

print("the file speaks")

def cube(x):
    return (x**3).sum()

def broken(x):
    return x @ np.ones(7)

def case(loss, gradient, x):
    return xcheck.Case(xcheck.objective(loss, "numpy", gradient=gradient), np.array(x))

right = case(cube, lambda x: 3 * x**2, [1.0, 2.0])

@xcheck.case
def infinite():
    return case(lambda x: cube(x) * np.inf, lambda x: x * np.inf, [1.0, 2.0])

@xcheck.case
def wrong():
    return case(cube, lambda x: 2 * x**2, [1.0, 2.0])

@xcheck.case
def failing():
    return case(broken, broken, [1.0, 2.0])
"""
RIGHT = "AGREE  {}: numpy agrees with the oracle on all 2 parameters"
FORMS = "a MODEL is a definition model.toml, a Python file model.py or model.py::name, or package.module:name"
WRONG = "DISAGREE  {}: numpy disagrees: params[1] is 0.6667 x the oracle (2 of 2 wrong)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with model.py, and the same as package.module."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "module.py").write_text(MODEL)
    return tmp_path


def test_every_case_has_its_report(folder: Path) -> None:
    """In the order of definition; ERROR decides. With -v the report shows the person's frames, and no others."""
    done = run("model.py", "-v", folder=folder)
    assert done.returncode == 4
    firsts = [line.partition(": ")[0] for line in done.stdout.splitlines() if "  model.py::" in line]
    assert firsts == [
        "AGREE  model.py::right",
        "UNDECIDED  model.py::infinite",
        "DISAGREE  model.py::wrong",
        "ERROR  model.py::failing",
    ]
    assert done.stdout.count("  again: python -m xcheck model.py -v --seed 0\n") == 3
    frames = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("File ")]
    assert frames == [f'File "{folder / "model.py"}", line 11, in broken']
    assert "      return x @ np.ones(7)\n             ~~^~~~~~~~~~~~\n" in done.stdout
    assert "layers at θ" not in done.stdout


def test_agree_is_0_and_what_the_file_prints_is_no_report(folder: Path) -> None:
    """Standard output can be read by machines; the object has all the keys that it has for a definition."""
    done = run("model.py::right", "package.module:right", "--format", "json", "--seed", "4", folder=folder)
    assert (done.returncode, done.stderr) == (0, "the file speaks\nthe file speaks\n")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["schema"], first["verdict"], first["exit"]) == (1, "AGREE", 0)
    assert (first["model"], second["model"]) == ("model.py::right", "package.module:right")
    assert (first["parameters"], first["verified"], first["seed"], first["layers"]) == (2, 2, 4, [])
    assert [(pair["a"], pair["b"]) for pair in first["pairs"]] == [("numpy", "oracle")]
    assert first["command"][-2:] == ["--seed", "4"]
    assert first["environment"]["device"] == "cpu"


def test_disagree_is_1(folder: Path) -> None:
    """One line per case with -q; a definition beside it is checked as ever."""
    run("init", "logistic_regression", folder=folder)
    done = run("-q", "model.py::wrong", "logistic_regression.toml", "model.py::right", folder=folder)
    first, second, third = done.stdout.splitlines()
    assert (done.returncode, first, third) == (1, WRONG.format("model.py::wrong"), RIGHT.format("model.py::right"))
    assert second.startswith("AGREE  logistic_regression.toml: numpy, torch, jax agree")


def test_undecided_is_3(folder: Path) -> None:
    """An infinite loss decides nothing."""
    done = run("-q", "model.py::infinite", folder=folder)
    assert done.returncode == 3
    assert done.stdout.startswith("UNDECIDED  model.py::infinite: ")


def test_mistakes_are_2_and_said_at_once(folder: Path) -> None:
    """Of several MODELs, in Python and not; nothing is checked."""
    (folder / "raises.py").write_text("import xcheck\n\n1 / 0\n")
    models = ["model.py::wrnog", "raises.py", "no_such.py", "package.module", "no_such.toml", "model.py::right"]
    done = run(*models, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "the file speaks",
        "the file speaks",
        "model.py: there is no case wrnog; did you mean wrong? (cases: right, infinite, wrong, failing)",
        "raises.py:3: fails while it is loaded",
        "Traceback (most recent call last):",
        f'  File "{folder / "raises.py"}", line 3, in <module>',
        "    1 / 0",
        "    ~~^~~",
        "ZeroDivisionError: division by zero",
        "no_such.py: cannot read: no such file",
        f"package.module: {FORMS}",
        "no_such.toml: cannot read: no such file",
    ]


def test_flags_of_the_other_kind_are_2(folder: Path) -> None:
    """The flag and the MODEL are named."""
    done = run("model.py::right", "no_such.toml", "--dtype", "float32", "--scope", "all", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "model.py::right: --dtype float32 has no meaning for a Python MODEL",
        "no_such.toml: --scope all has no meaning for a TOML MODEL",
    ]


def test_init_python_writes_an_example_that_agrees(tmp_path: Path) -> None:
    """A hand-written NumPy gradient beside JAX; a second derivative of what is left where one is asked for."""
    done = run("init", "python", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote model.py\nnow run: python -m xcheck model.py\n")
    assert "torch" not in (tmp_path / "model.py").read_text()
    done = run("model.py", "-q", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "AGREE  model.py::regression: mine, jax agree with the oracle on all 32 parameters\n"
    done = run("model.py", "--backend", "jax", "--order", "2", folder=tmp_path)
    assert done.returncode == 0
    assert "mine" not in done.stdout
