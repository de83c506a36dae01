"""Load: who has the last word about a key, and all mistakes of all documents at once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks.definition.conftest import (
    CSV,
    GOOD,
    NOWHERE,
    Case,
    complaints,
    defined,
    edit,
    rows_of,
    table,
    write,
    written,
)
from xcheck.errors import DefinitionError
from xcheck.networks.definition import CheckSettings, load

pytestmark = pytest.mark.usefixtures("here")

# --- precedence -----------------------------------------------------------------------------------------------------

PROJECT = "[tool.xcheck]\ntolerance = 1e-3\n"
MODEL = edit(8, "tolerance = 1e-4")
TOLERANCES: dict[str, tuple[str, str | None, dict[str, float], float]] = {
    "default": (GOOD, None, {}, 1e-7),
    "project over default": (GOOD, PROJECT, {}, 1e-3),
    "model over default": (MODEL, None, {}, 1e-4),
    "model over project": (MODEL, PROJECT, {}, 1e-4),
    "flag over default": (GOOD, None, {"tolerance": 1e-5}, 1e-5),
    "flag over project": (GOOD, PROJECT, {"tolerance": 1e-5}, 1e-5),
    "flag over model": (MODEL, None, {"tolerance": 1e-5}, 1e-5),
    "flag over model and project": (MODEL, PROJECT, {"tolerance": 1e-5}, 1e-5),
}


@pytest.mark.parametrize(("text", "project", "flags", "expected"), TOLERANCES.values(), ids=TOLERANCES)
def test_precedence(text: str, project: str | None, flags: dict[str, float], expected: float) -> None:
    """Flags come before MODEL, MODEL before [tool.xcheck], [tool.xcheck] before the defaults."""
    files = {} if project is None else {"pyproject.toml": project}
    assert written(text, files, **flags).check.tolerance == expected


EXAMPLES: dict[str, tuple[str, dict[str, int], int]] = {
    "project over default": ('file = "data.csv"', {}, 5),
    "model over project": ('file = "data.csv"\nexamples = 6', {}, 6),
    "flag over model": ('file = "data.csv"\nexamples = 6', {"examples": 7}, 7),
    "flag over project": ('file = "data.csv"', {"examples": 7}, 7),
    "project over default, synthetic": ("synthetic = { inputs = 2 }", {}, 5),
    "model over project, synthetic": ("synthetic = { inputs = 2, examples = 6 }", {}, 6),
    "flag over model, synthetic": ("synthetic = { inputs = 2, examples = 6 }", {"examples": 7}, 7),
}


@pytest.mark.parametrize(("source", "flags", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_precedence_of_examples(source: str, flags: dict[str, int], expected: int) -> None:
    """`examples` belongs to [data], and may also be a flag or a key of [tool.xcheck]."""
    text = edit(2, source)
    text = text.replace('target = "y"\n', "") if "synthetic" in source else text
    files = {"data.csv": rows_of(20), "pyproject.toml": "[tool.xcheck]\nexamples = 5\n"}
    assert written(text, files, **flags).problem.examples == expected


def test_keys_come_from_everywhere() -> None:
    """Precedence is per key: what the stronger source does not say is left to the weaker."""
    check = defined(check={"seed": 3, "epsilon": 1e-4}, epsilon=1e-5).check
    assert (check.seed, check.epsilon) == (3, 1e-5)


NEST = "models/deep"
PLACES: dict[str, tuple[dict[str, str], float]] = {
    "in the folder": ({f"{NEST}/pyproject.toml": PROJECT}, 1e-3),
    "in a folder above": ({"pyproject.toml": PROJECT}, 1e-3),
    "nearest first": ({"pyproject.toml": "[tool.xcheck]\ntolerance = 0.5\n", "models/pyproject.toml": PROJECT}, 1e-3),
    "nearest alone": ({"pyproject.toml": PROJECT, "models/pyproject.toml": '[project]\nname = "x"\n'}, 1e-7),
    "nowhere": ({}, 1e-7),
}


@pytest.mark.parametrize(("files", "expected"), PLACES.values(), ids=PLACES)
def test_the_nearest_project_counts(here: Path, files: dict[str, str], expected: float) -> None:
    """[tool.xcheck] is that of the nearest pyproject.toml at or above the definition, not of the current folder."""
    (here / NEST).mkdir(parents=True)
    write({**files, f"{NEST}/model.toml": GOOD, f"{NEST}/data.csv": CSV})
    assert load(Path(NEST) / "model.toml").check.tolerance == expected


def test_a_dict_gets_the_project_of_the_current_folder() -> None:
    """A dict lies nowhere, so the current folder stands in: for pyproject.toml and for relative paths."""
    write({"pyproject.toml": PROJECT, "data.csv": CSV})
    loaded = load(
        {
            "data": {"file": "data.csv", "target": "y"},
            "network": {"layers": [{"units": 1}], "loss": "binary_cross_entropy"},
        }
    )
    assert (loaded.problem.examples, loaded.check.tolerance) == (3, 1e-3)


def test_a_dict_gives_what_the_file_gives() -> None:
    """A dict of the same shape describes the same problem."""
    from_file = written(GOOD)
    from_dict = load(
        {
            "data": {"file": "data.csv", "target": "y"},
            "network": {"layers": [{"units": 1}], "loss": "binary_cross_entropy"},
            "check": {"seed": 0},
        }
    )
    assert from_dict.check == from_file.check
    for name in ("inputs", "targets", "theta"):
        assert np.array_equal(getattr(from_dict.problem, name), getattr(from_file.problem, name))


def test_a_dict_is_left_as_it_is() -> None:
    """Neither flags nor defaults are written into the person's dict."""
    definition = {
        "data": {"synthetic": {"inputs": 2}},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
        "check": {"seed": 1},
    }
    load(definition, flags={"seed": 2, "examples": 3})
    assert (definition["data"], definition["check"]) == ({"synthetic": {"inputs": 2}}, {"seed": 1})


def test_other_tools_in_the_project_are_their_own_business() -> None:
    """Whatever else stands in pyproject.toml is not looked at."""
    project = '[project]\nname = "x"\n[tool.ruff]\nline-length = 3\n'
    assert written(GOOD, {"pyproject.toml": project}).check == CheckSettings()


def test_any_backend_is_taken_where_none_are_known() -> None:
    """Without a list of those that exist, backends are not checked."""
    definition = {
        "data": {"synthetic": {"inputs": 2}},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
        "check": {"backends": ["mine"]},
    }
    assert load(definition).check.backends == ["mine"]


# --- pyproject.toml, flags, dicts -----------------------------------------------------------------------------------

PROJECTS: dict[str, Case] = {
    "not TOML": (
        "[tool.xcheck\n",
        ["pyproject.toml:1:13: not TOML: Expected ']' at the end of a table declaration"],
    ),
    "tool is a number": ("tool = 3\n", ["pyproject.toml:1:1: tool: expected a table, got 3"]),
    "xcheck is a number": ("[tool]\nxcheck = 3\n", ["pyproject.toml:2:1: tool.xcheck: expected a table, got 3"]),
    "xcheck is a list": ("[[tool.xcheck]]\n", ["pyproject.toml:1:8: tool.xcheck: expected a table, got a list"]),
    "mistakes": (
        '[tool.xcheck]\nsed = 1\nseed = -1\nbackends = ["numpie"]\nexamples = 0\n',
        [
            "pyproject.toml:2:1: tool.xcheck.sed: unknown key; did you mean 'seed'?",
            "pyproject.toml:3:1: tool.xcheck.seed: must be at least 0, got -1",
            "pyproject.toml:4:13: tool.xcheck.backends[0]: unknown backend 'numpie'; did you mean 'numpy'?",
            "pyproject.toml:5:1: tool.xcheck.examples: must be at least 1, got 0",
        ],
    ),
    "more examples than rows": (
        "[tool.xcheck]\nexamples = 4\n",
        ["pyproject.toml:2:1: tool.xcheck.examples: 4 examples, but data.csv has 3 rows"],
    ),
}


@table(PROJECTS)
def test_project(text: str, expected: list[str]) -> None:
    """A mistake in pyproject.toml is placed there, even when it shows only in the data."""
    assert complaints(GOOD, {"pyproject.toml": text}) == expected


FLAGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "out of range": (
        {"seed": -1, "tolerance": float("nan")},
        ["tolerance: expected a finite number, got nan", "seed: must be at least 0, got -1"],
    ),
    "unknown": ({"toleranse": 1e-3}, ["toleranse: unknown key; did you mean 'tolerance'?"]),
    "unknown backend": ({"backends": ["jaxx"]}, ["backends[0]: unknown backend 'jaxx'; did you mean 'jax'?"]),
    "more examples than rows": ({"examples": 4}, ["examples: 4 examples, but data.csv has 3 rows"]),
}


@table(FLAGS, "flags")
def test_flags(flags: dict[str, Any], expected: list[str]) -> None:
    """A mistake in a flag has no file."""
    assert complaints(GOOD, **flags) == expected


def test_a_dict_has_no_places() -> None:
    """A dict of the same shape gets the same messages without file, line and column."""
    definition = {
        "data": {"synthetic": {"inputs": 3}},
        "network": {"layers": [{"units": 1, "activaton": "relu"}], "loss": "hinge", 1: 2},
    }
    with pytest.raises(DefinitionError) as caught:
        load(definition)
    assert str(caught.value).splitlines() == [
        "network.layers[0].activaton: unknown key; did you mean 'activation'?",
        "network.loss: unknown loss 'hinge'; known: binary_cross_entropy, softmax_cross_entropy, mean_squared_error",
        "network[1]: Keys should be strings, got 1",
    ]


# --- all at once ----------------------------------------------------------------------------------------------------

MANY = """\
[data]
file = "nowhere.csv"
examples = 0
[network]
layers = [
  { units = 0, activation = "rellu" },
  { unit = 1 },
]
loss = "softmax_crossentropy"
l2 = -1
weights = "trained.pt"
[check]
backends = ["numpy", "pytorch"]
epsilon = "small"
seed = 1.5
[extra]
"""
MISTAKES = [
    f"many.toml:2:1: data.file: cannot read nowhere.csv: {NOWHERE}",
    "many.toml:3:1: data.examples: must be at least 1, got 0",
    "many.toml:6:5: network.layers[0].units: must be at least 1, got 0",
    "many.toml:6:16: network.layers[0].activation: unknown activation 'rellu'; did you mean 'relu'?",
    "many.toml:7:3: network.layers[1].units: missing",
    "many.toml:7:5: network.layers[1].unit: unknown key; did you mean 'units'?",
    "many.toml:9:1: network.loss: unknown loss 'softmax_crossentropy'; did you mean 'softmax_cross_entropy'?",
    "many.toml:10:1: network.l2: must be at least 0, got -1",
    "many.toml:11:1: network.weights: trained.pt is neither .npz nor .safetensors",
    "many.toml:13:22: check.backends[1]: unknown backend 'pytorch'; did you mean 'torch'?",
    "many.toml:14:1: check.epsilon: expected \"auto\" or a positive number, got the string 'small'",
    "many.toml:15:1: check.seed: expected a whole number, got 1.5",
    "many.toml:16:2: extra: unknown key; known: data, network, check, training",
]


def test_the_command_line_says_everything_at_once(here: Path) -> None:
    """All mistakes of all files stand on standard error, one per line, and the exit status is 2."""
    write({"many.toml": MANY, "other.toml": GOOD})
    command = [sys.executable, "-m", "xcheck", "many.toml", "other.toml"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [*MISTAKES, f"other.toml:2:1: data.file: cannot read data.csv: {NOWHERE}"]
