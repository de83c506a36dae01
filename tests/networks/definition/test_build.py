"""Build: what each key of a good definition does, and what is said about data that do not fit."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.networks.definition.conftest import (
    CSV,
    GOOD,
    Case,
    complaints,
    defined,
    edit,
    npz,
    rows_of,
    table,
    write,
    written,
)
from xcheck.layout import Vector
from xcheck.networks.definition import CheckSettings, load
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


# --- what stands in the data ----------------------------------------------------------------------------------------

CSVS: dict[str, Case] = {
    "empty": ("", ["data.csv: no data: a csv needs a header row and at least one row of values"]),
    "header only": ("a,b,y\n", ["data.csv: no data: a csv needs a header row and at least one row of values"]),
    "word among numbers": (
        "a,b,y\n1,2,0\n3,four,1\n",
        ["data.csv:3:2: row 2, column 'b': 'four' is not a number"],
    ),
    "nan and inf": (
        "a,b,y\n1,nan,0\n-inf,4,1\n",
        [
            "data.csv:2:2: row 1, column 'b': 'nan' is not a finite number",
            "data.csv:3:1: row 2, column 'a': '-inf' is not a finite number",
        ],
    ),
    "hole": ("a,b,y\n1,,0\n3,4,1\n", ["data.csv:2:2: row 1, column 'b': the cell is empty"]),
    "ragged": (
        "a,b,y\n1,2,0\n3,4\n5,6,1,7\n",
        [
            "data.csv:3: row 2 has 2 values, the header has 3",
            "data.csv:4: row 3 has 4 values, the header has 3",
        ],
    ),
    "no such column": (
        "a,b,z\n1,2,0\n",
        ["model.toml:3:1: data.target: data.csv has no column 'y'; it has 'a', 'b', 'z'"],
    ),
    "three classes for two": (
        "a,b,y\n1,2,cat\n3,4,dog\n5,6,eel\n",
        [
            ("model.toml:3:1: data.target: binary_cross_entropy needs two classes, the target has 3: "
            "'cat', 'dog', 'eel'; softmax_cross_entropy takes more")
        ],
    ),
    "neither 0 nor 1": (
        "a,b,y\n1,2,1\n3,4,2\n",
        ["model.toml:3:1: data.target: binary_cross_entropy needs targets 0 or 1, found 2"],
    ),
}  # fmt: skip

OUTPUTS: dict[str, Case] = {
    "too many units": (
        edit(5, "layers = [{ units = 2 }, { units = 3 }]"),
        ["model.toml:5:28: network.layers[1].units: the last layer has 3 units, the target has 1 column"],
    ),
    "too few units": (
        edit(3, 'target = ["b", "y"]').replace("binary_cross_entropy", "mean_squared_error"),
        ["model.toml:5:13: network.layers[0].units: the last layer has 1 unit, the target has 2 columns"],
    ),
    "more classes than outputs": (
        edit(6, 'loss = "softmax_cross_entropy"'),
        [
            (
                "model.toml:5:13: network.layers[0].units: the target has 2 classes, the last layer has 1 unit; "
                "softmax_cross_entropy needs one unit per class"
            )
        ],
    ),
    "more parameters than memory": (
        edit(5, "layers = [{ units = 1000000000000 }, { units = 1 }]"),
        [
            (
                "model.toml:5:1: network.layers: too large to check: 2-1000000000000-1 units with 3 examples are "
                "4000000000001 parameters, at most 100000000"
            )
        ],
    ),
    "more examples than memory": (
        edit(2, "synthetic = { inputs = 3, examples = 1000000000000 }").replace('target = "y"\n', ""),
        [
            (
                "model.toml:4:1: network.layers: too large to check: 3-1 units with 1000000000000 examples are "
                "3000000000000 numbers in one layer, at most 100000000"
            )
        ],
    ),
    "beyond float32": (
        edit(8, 'dtype = "float32"').replace("[network]", "normalize = false\n[network]"),
        ["model.toml:9:1: check.dtype: the inputs reach 1e+300, float32 ends at 3.4e+38; use float64"],
    ),
}

Y = np.array([0, 1, 1])
NPZS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no inputs": ({"y": Y}, ["model.toml:2:1: data.file: data.npz has no array 'x'; it has 'y'"]),
    "no targets": ({"x": np.ones((3, 2))}, ["model.toml:3:1: data.target: data.npz has no array 'y'; it has 'x'"]),
    "nan": (
        {"x": np.array([[1, 2], [3, np.nan], [5, 6]]), "y": Y},
        ["model.toml:2:1: data.file: data.npz: x[1, 1] is nan (1 of 6 are not finite)"],
    ),
    "objects": (
        {"x": np.ones((3, 2)), "y": np.array([None, 1, "a"], dtype=object)},
        [
            ("model.toml:2:1: data.file: data.npz holds pickled objects, which are never loaded because unpickling "
            "runs code; save plain numeric arrays")
        ],
    ),
    "no rows": (
        {"x": np.ones((0, 2)), "y": np.ones(0)},
        [
            "model.toml:2:1: data.file: data.npz: no data: 'x' has shape (0, 2)",
            "model.toml:2:1: data.file: data.npz: no data: 'y' has shape (0,)",
        ],
    ),
}  # fmt: skip


@table(CSVS)
def test_a_bad_csv(text: str, expected: list[str]) -> None:
    """A mistake in a csv is placed in the csv, or at the key of the definition that does not fit it."""
    assert complaints(GOOD, {"data.csv": text}) == expected


@table(NPZS, "arrays")
def test_a_bad_npz(arrays: dict[str, Any], expected: list[str]) -> None:
    """A mistake in an .npz is placed at the key that names it."""
    assert complaints(edit(2, 'file = "data.npz"'), {"data.npz": npz(**arrays)}) == expected


@table(OUTPUTS)
def test_outputs(text: str, expected: list[str]) -> None:
    """Layers that do not fit the target, the memory or the dtype are refused before they are computed."""
    csv = CSV.replace("7", "1e300") if "float32" in text else CSV
    assert complaints(text, {"data.csv": csv}) == expected
