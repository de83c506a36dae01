"""What each key of a good definition does, and who has the last word about it."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.networks.definition.conftest import BACKENDS, CSV, GOOD, edit, npz, write
from xcheck.layout import Vector
from xcheck.networks.definition import CheckSettings, Loaded, load
from xcheck.networks.network import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    ActivationName,
    Dense,
    InitializerName,
    LossName,
)

pytestmark = pytest.mark.usefixtures("here")

Section = Mapping[str, Any]


def defined(
    *, data: Section | None = None, network: Section | None = None, check: Section | None = None, **flags: Any
) -> Loaded:
    """Load a dict: 6 synthetic examples of 3 inputs, one linear unit, and whatever a test says otherwise."""
    definition = {
        "data": {"synthetic": {"inputs": 3, "examples": 6}, **(data or {})},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error", **(network or {})},
        "check": {**(check or {})},
    }
    return load(definition, flags=flags, backends=BACKENDS)


def written(text: str, files: Mapping[str, str | bytes] | None = None, **flags: Any) -> Loaded:
    """Write a definition beside its data and load it."""
    write({"data.csv": CSV, "model.toml": text, **(files or {})})
    return load(Path("model.toml"), flags=flags, backends=BACKENDS)


def rows_of(count: int) -> str:
    """Return a csv whose rows can be told apart by their first feature."""
    return "a,b,y\n" + "".join(f"{row},{row * row},{row % 2}\n" for row in range(count))


# --- defaults -------------------------------------------------------------------------------------------------------


def test_check_by_default() -> None:
    """What [check] does not say is as documented."""
    assert defined().check == CheckSettings(
        backends=None,
        epsilon="auto",
        difference="central",
        tolerance=1e-7,
        dropout="pinned",
        dtype="float64",
        device="cpu",
        seed=0,
    )


def test_layers_by_default() -> None:
    """A layer is linear, keeps everything and is not regularised; its initializer is left to its activation."""
    network = defined().problem.network
    assert network.layers == (Dense(units=1, activation="identity", initializer=None, keep_prob=1.0),)
    assert (network.l1, network.l2, network.input_keep_prob) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("rows", "examples"), [(3, 3), (64, 64), (100, 64)])
def test_examples_by_default(rows: int, examples: int) -> None:
    """The check uses 64 rows, or all where there are fewer."""
    assert written(GOOD, {"data.csv": rows_of(rows)}).problem.examples == examples


def test_synthetic_examples_by_default() -> None:
    """Synthetic data have 64 examples."""
    assert defined(data={"synthetic": {"inputs": 2}}).problem.inputs.shape == (64, 2)


# --- [data] ---------------------------------------------------------------------------------------------------------


def test_features_by_default() -> None:
    """Every column but the target is a feature, in the order of the file."""
    loaded = written(edit(2, 'file = "data.csv"\nnormalize = false'))
    assert loaded.problem.inputs.tolist() == [[1, 2], [3, 4], [5, 7]]
    assert loaded.problem.targets.tolist() == [[0], [1], [1]]


def test_features() -> None:
    """Features are the columns that are named, in the order in which they are named."""
    loaded = written(edit(2, 'file = "data.csv"\nnormalize = false\nfeatures = ["b", "a"]'))
    assert loaded.problem.inputs.tolist() == [[2, 1], [4, 3], [7, 5]]


def test_a_list_of_targets() -> None:
    """Several target columns are several outputs."""
    text = edit(3, 'target = ["y", "b"]').replace("units = 1", "units = 2").replace("binary_cross_entropy", LOSSES[2])
    assert written(text).problem.targets.tolist() == [[0, 2], [1, 4], [1, 7]]


def test_targets_as_words() -> None:
    """Words are classes in alphabetical order."""
    text = edit(5, "layers = [{ units = 3 }]").replace("binary_cross_entropy", "softmax_cross_entropy")
    loaded = written(text, {"data.csv": "a,y\n1,dog\n2,eel\n3,cat\n"})
    assert loaded.problem.targets.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_normalize_by_default() -> None:
    """Inputs have mean 0 and standard deviation 1 per feature."""
    inputs = written(GOOD).problem.inputs
    assert inputs.mean(axis=0) == pytest.approx([0, 0], abs=1e-15)
    assert inputs.std(axis=0) == pytest.approx([1, 1])


def test_normalize_takes_the_whole_file() -> None:
    """Mean and deviation are those of all rows, whichever rows are drawn."""
    loaded = written(edit(2, 'file = "data.csv"\nexamples = 2'))
    whole = np.array([1, 3, 5])
    possible = (whole - whole.mean()) / whole.std()
    assert np.isclose(loaded.problem.inputs[:, :1], possible).any(axis=1).all()


def test_a_constant_feature_is_warned_about() -> None:
    """A constant feature is only centred, and the warning names it."""
    loaded = written(GOOD, {"data.csv": "a,b,y\n1,0.1,0\n2,0.1,1\n3,0.1,1\n"})
    assert loaded.problem.inputs[:, 1].tolist() == [0, 0, 0]
    (warning,) = loaded.warnings
    assert (warning.code, warning.value) == ("XC401", 1.0)
    assert warning.text == "constant over the whole file, so only centred: b; their weights get no gradient"


def test_examples_are_rows_of_the_file() -> None:
    """As many rows as asked for are drawn, each once, with their own targets, in the order of the file."""
    text = edit(2, 'file = "data.csv"\nexamples = 20\nnormalize = false')
    problem = written(text, {"data.csv": rows_of(50)}).problem
    first = problem.inputs[:, 0]
    assert (len(first), sorted(set(first))) == (20, first.tolist())
    assert problem.targets[:, 0].tolist() == (first % 2).tolist()


def test_examples_are_drawn_with_the_seed() -> None:
    """Another seed draws other rows, the same seed the same ones."""
    text = edit(2, 'file = "data.csv"\nexamples = 20')
    draws = [written(text, {"data.csv": rows_of(50)}, seed=seed).problem.inputs.tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("suffix", ["npz", "NPZ"])
def test_npz(suffix: str) -> None:
    """An .npz file holds the inputs as x and the targets as y unless another array is named."""
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    arrays = npz(x=x, y=np.array([0, 1]), other=np.array([1, 1]))
    text = f'[data]\nfile = "data.{suffix}"\nnormalize = false\n' + GOOD[GOOD.index("[network]") :]
    problem = written(text, {f"data.{suffix}": arrays}).problem
    assert (problem.inputs.tolist(), problem.targets.tolist()) == (x.tolist(), [[0], [1]])


def test_npz_target() -> None:
    """The target of an .npz file is the array that is named."""
    arrays = npz(x=np.eye(2), labels=np.array([[1], [0]]))
    loaded = written(edit(2, 'file = "d.npz"').replace('"y"', '"labels"'), {"d.npz": arrays})
    assert loaded.problem.targets.tolist() == [[1], [0]]


def test_paths_are_relative_to_the_definition(here: Path) -> None:
    """Data and weights lie where the definition says, seen from the definition."""
    (here / "models" / "data").mkdir(parents=True)
    text = edit(2, 'file = "data/d.csv"').replace("[check]", 'weights = "../w.npz"\n[check]')
    weights = npz(W1=np.array([[7.0, 8.0]]), b1=np.array([9.0]))
    write({"models/model.toml": text, "models/data/d.csv": CSV, "w.npz": weights})
    assert load(Path("models/model.toml")).problem.theta.tolist() == [7, 8, 9]


def test_a_problem_is_called_as_the_person_calls_it(here: Path) -> None:
    """Reports name the file as it was typed; a dict has no name of its own."""
    (here / "models").mkdir()
    write({"models/model.toml": GOOD, "models/data.csv": CSV})
    assert load(Path("models/model.toml")).problem.name == "models/model.toml"
    assert defined().problem.name == "definition"


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    """A definition from a Windows editor is read like any other."""
    write({"data.csv": CSV, "model.toml": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()})
    assert load(Path("model.toml")).problem.examples == 3


SYNTHETIC: dict[LossName, Callable[[Vector], bool]] = {
    "binary_cross_entropy": lambda Y: set(Y.ravel()) == {0.0, 1.0},
    "softmax_cross_entropy": lambda Y: set(Y.ravel()) == {0.0, 1.0} and bool((Y.sum(axis=1) == 1).all()),
    "mean_squared_error": lambda Y: abs(Y.mean()) < 0.1 and abs(Y.std() - 1) < 0.1,
}


@pytest.mark.parametrize(("loss", "fits"), SYNTHETIC.items(), ids=SYNTHETIC)
def test_synthetic(loss: LossName, fits: Callable[[Vector], bool]) -> None:
    """Synthetic inputs are standard gaussian, and the targets fit the loss."""
    data = {"synthetic": {"inputs": 5, "examples": 400}}
    problem = defined(data=data, network={"loss": loss, "layers": [{"units": 3}]}).problem
    assert problem.inputs.shape == (400, 5)
    assert (problem.inputs.mean(), problem.inputs.std()) == pytest.approx((0, 1), abs=0.1)
    assert problem.targets.shape == (400, 3)
    assert fits(problem.targets)


def test_examples_of_synthetic_data() -> None:
    """`examples` of [data] is how many are drawn."""
    assert defined(data={"examples": 4}).problem.examples == 4


# --- [network] ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation: ActivationName) -> None:
    """Each activation is known."""
    assert defined(network={"layers": [{"units": 1, "activation": activation}]}).problem.network.layers == (
        Dense(units=1, activation=activation),
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss: LossName) -> None:
    """Each loss is known."""
    assert defined(network={"loss": loss}).problem.network.loss == loss


WEIGHT_VARIANCES: dict[InitializerName, float] = {"he": 2 / 50, "xavier": 1 / 50, "normal": 0.01**2, "zeros": 0.0}


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_initializers(initializer: InitializerName) -> None:
    """Each initializer draws weights around 0 with its variance, of n = 50 inputs; biases are 0."""
    layer = {"units": 200, "initializer": initializer}
    problem = defined(data={"synthetic": {"inputs": 50}}, network={"layers": [layer]}).problem
    tensors = problem.layout.unflatten(problem.theta)
    assert tensors["W1"].var() == pytest.approx(WEIGHT_VARIANCES[initializer], rel=0.05)
    assert tensors["W1"].mean() == pytest.approx(0, abs=0.01)
    assert not tensors["b1"].any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_initializer_suits_the_activation(activation: ActivationName) -> None:
    """Where none is named, the relu family gets he, the others xavier."""
    layer = {"units": 200, "activation": activation}
    problem = defined(data={"synthetic": {"inputs": 50}}, network={"layers": [layer]}).problem
    expected = 1 / 50 if activation in ("identity", "sigmoid", "tanh") else 2 / 50
    assert problem.layout.unflatten(problem.theta)["W1"].var() == pytest.approx(expected, rel=0.05)


def test_layers_follow_each_other() -> None:
    """Layers are in the order in which they are written; W of a layer is (units, units before)."""
    layers = [{"units": 4, "activation": "tanh"}, {"units": 2, "activation": "relu"}, {"units": 1}]
    problem = defined(network={"layers": layers}).problem
    assert problem.network.widths == (3, 4, 2, 1)
    assert [(tensor.name, tensor.shape) for tensor in problem.layout] == [
        ("W1", (4, 3)),
        ("b1", (4,)),
        ("W2", (2, 4)),
        ("b2", (2,)),
        ("W3", (1, 2)),
        ("b3", (1,)),
    ]


def test_penalties() -> None:
    """`l1` and `l2` are taken as written, whole numbers too."""
    network = defined(network={"l1": 0.25, "l2": 3}).problem.network
    assert (network.l1, network.l2) == (0.25, 3.0)


def test_keep_prob() -> None:
    """The units of a layer are kept with its probability; where it is 1 there is no mask."""
    layers = [{"units": 50, "keep_prob": 0.8}, {"units": 1}]
    problem = defined(data={"synthetic": {"inputs": 3, "examples": 200}}, network={"layers": layers}).problem
    inputs, hidden, outputs = problem.masks
    assert inputs is None
    assert outputs is None
    assert hidden is not None
    assert hidden.shape == (200, 50)
    assert hidden.mean() == pytest.approx(0.8, abs=0.02)


def test_input_keep_prob() -> None:
    """Inputs are kept with the probability of their own."""
    data = {"synthetic": {"inputs": 50, "examples": 200}}
    inputs, outputs = defined(data=data, network={"input_keep_prob": 0.3}).problem.masks
    assert outputs is None
    assert inputs is not None
    assert inputs.mean() == pytest.approx(0.3, abs=0.02)


def savez(arrays: Mapping[str, Any]) -> bytes:
    """Return an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8"])
@pytest.mark.parametrize(("name", "save"), [("w.npz", savez), ("w.safetensors", safetensors.numpy.save)])
def test_weights(name: str, save: Callable[[Mapping[str, Any]], bytes], dtype: str) -> None:
    """θ is W1, b1, W2, b2 of the file, each in C-order, whatever the order and the real type in the file."""
    arrays = {
        "b2": np.array([9]),
        "W2": np.array([[7, 8]]),
        "W1": np.array([[1, 2], [3, 4]]),
        "b1": np.array([5, 6]),
    }
    text = edit(5, f'weights = "{name}"\nlayers = [{{ units = 2 }}, {{ units = 1 }}]')
    loaded = written(text, {name: save({key: array.astype(dtype) for key, array in arrays.items()})})
    assert loaded.problem.theta.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


ACTIVATED: dict[str, tuple[LossName, ActivationName, list[str]]] = {
    "sigmoid into logits": ("binary_cross_entropy", "sigmoid", ["XC403"]),
    "softplus into logits": ("softmax_cross_entropy", "softplus", ["XC403"]),
    "sigmoid into numbers": ("mean_squared_error", "sigmoid", []),
    "tanh into logits": ("binary_cross_entropy", "tanh", []),
}


@pytest.mark.parametrize(("loss", "activation", "codes"), ACTIVATED.values(), ids=ACTIVATED)
def test_activated_logits_are_warned_about(loss: LossName, activation: ActivationName, codes: list[str]) -> None:
    """A loss that takes logits is probably not meant to get probabilities."""
    loaded = defined(network={"loss": loss, "layers": [{"units": 1, "activation": activation}]})
    assert [warning.code for warning in loaded.warnings] == codes


# --- [check] --------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, list[Any]] = {
    "backends": [["numpy"], ["jax", "torch"]],
    "epsilon": ["auto", 1e-4, 1],
    "difference": ["central", "forward"],
    "tolerance": [1e-3, 1],
    "dropout": ["pinned", "off"],
    "dtype": ["float32", "float64"],
    "device": ["cpu", "gpu"],
    "seed": [0, 7, 2**63 - 1],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in SETTINGS.items() for value in values])
def test_check(key: str, value: object) -> None:
    """Each key of [check] is passed on."""
    assert getattr(defined(check={key: value}).check, key) == value


def test_seed() -> None:
    """The seed decides about inputs, targets, θ and masks, and the problem knows it."""
    network = {"layers": [{"units": 1, "keep_prob": 0.5}]}
    first, again, other = (defined(network=network, check={"seed": seed}).problem for seed in (1, 1, 2))
    for name in ("inputs", "targets", "theta"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))
    assert (first.seed, other.seed) == (1, 2)


def test_dropout_off() -> None:
    """Without dropout everything is kept, and the rest of the problem stays as it is."""
    network = {"layers": [{"units": 4, "keep_prob": 0.5}, {"units": 1}], "input_keep_prob": 0.5}
    pinned, off = (defined(network=network, check={"dropout": dropout}).problem for dropout in ("pinned", "off"))
    assert off.masks == (None, None, None)
    assert off.network.keep_probs == (1.0, 1.0, 1.0)
    for name in ("inputs", "targets", "theta"):
        assert np.array_equal(getattr(pinned, name), getattr(off, name))


@pytest.mark.parametrize("name", ["inputs", "targets", "theta"])
def test_dtype_rounds(name: str) -> None:
    """In float32 all witnesses and the oracle are asked about numbers that float32 can hold."""
    exact, rounded = (getattr(defined(check={"dtype": dtype}).problem, name) for dtype in ("float64", "float32"))
    assert rounded.dtype == np.float64
    assert np.array_equal(rounded, exact.astype(np.float32).astype(np.float64))
    assert not np.array_equal(rounded, exact)


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
