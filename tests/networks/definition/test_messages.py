"""Messages: each mistake with its place, its key and what to do."""

import pytest

from tests.networks.definition.conftest import (
    GOOD,
    Case,
    complaints,
    edit,
    table,
)
from xcheck.networks.network import ACTIVATIONS, INITIALIZERS

pytestmark = pytest.mark.usefixtures("here")

# --- keys, types, ranges --------------------------------------------------------------------------------------------

KEYS: dict[str, Case] = {
    "nothing at all": ("", ["model.toml:1:1: data: missing", "model.toml:1:1: network: missing"]),
    "unknown table": (
        GOOD + "[chekc]\n",
        ["model.toml:9:2: chekc: unknown key; did you mean 'check'?"],
    ),
    "unknown key in data": (
        edit(3, 'target = "y"\ntaget = "y"'),
        ["model.toml:4:1: data.taget: unknown key; did you mean 'target'?"],
    ),
    "unknown key in a layer": (
        edit(5, 'layers = [\n  { units = 1, activaton = "relu" },\n]'),
        ["model.toml:6:16: network.layers[0].activaton: unknown key; did you mean 'activation'?"],
    ),
    "unknown key in capitals": (
        edit(5, 'layers = [{ units = 1, ACTIVATION = "relu" }]'),
        ["model.toml:5:24: network.layers[0].ACTIVATION: unknown key; did you mean 'activation'?"],
    ),
    "unknown key like no other": (
        edit(8, "colour = 1"),
        [
            (
                "model.toml:8:1: check.colour: unknown key; known: backends, epsilon, difference, tolerance, dropout, "
                "dtype, device, engine, budget, seed, proof"
            )
        ],
    ),
    "unknown key in synthetic": (
        edit(2, "synthetic = { inputs = 3, exmples = 4 }").replace('target = "y"\n', ""),
        ["model.toml:2:27: data.synthetic.exmples: unknown key; did you mean 'examples'?"],
    ),
    "key of another table": (
        edit(8, "l2 = 0.7"),
        [
            (
                "model.toml:8:1: check.l2: unknown key; known: backends, epsilon, difference, tolerance, dropout, "
                "dtype, device, engine, budget, seed, proof"
            )
        ],
    ),
    "missing units": (
        edit(5, 'layers = [{ activation = "relu" }]'),
        ["model.toml:5:11: network.layers[0].units: missing"],
    ),
    "missing loss": (
        edit(6, ""),
        [
            (
                "model.toml:4:2: network.loss: missing; known: binary_cross_entropy, softmax_cross_entropy, "
                "mean_squared_error"
            )
        ],
    ),
    "missing inputs": (
        edit(2, "synthetic = {}").replace('target = "y"\n', ""),
        ["model.toml:2:1: data.synthetic.inputs: missing"],
    ),
}

TYPES: dict[str, Case] = {
    "layers are a number": (edit(5, "layers = 3"), ["model.toml:5:1: network.layers: expected a list, got 3"]),
    "layers are numbers": (
        edit(5, "layers = [1, 2]"),
        [
            "model.toml:5:11: network.layers[0]: expected a table, got 1",
            "model.toml:5:14: network.layers[1]: expected a table, got 2",
        ],
    ),
    "layers are a table": (
        edit(5, "layers = { units = 1 }"),
        ["model.toml:5:1: network.layers: expected a list, got a table"],
    ),
    "no layers": (edit(5, "layers = []"), ["model.toml:5:1: network.layers: must not be empty"]),
    "check is a number": ("check = 5\n" + edit(7, "").replace("seed = 0\n", ""), [
        "model.toml:1:1: check: expected a table, got 5",
    ]),
    "data is a list": (
        GOOD.replace("[data]", "[[data]]"),
        ["model.toml:1:3: data: expected a table, got a list"],
    ),
    "network is a string": (
        'network = "deep"\n[data]\nfile = "data.csv"\ntarget = "y"\n',
        ["model.toml:1:1: network: expected a table, got the string 'deep'"],
    ),
    "file is a number": (edit(2, "file = 3"), ["model.toml:2:1: data.file: expected a string, got 3"]),
    "file has no name": (edit(2, 'file = ""'), ["model.toml:2:1: data.file: must not be empty"]),
    "file is no name": (
        edit(2, 'file = "a\\u0000.csv"'),
        ["model.toml:2:1: data.file: expected the name of a file, got the string 'a\\x00.csv'"],
    ),
    "target is a number": (
        edit(3, "target = 3"),
        ["model.toml:3:1: data.target: expected a column name or a list of column names, got 3"],
    ),
    "targets hold a number": (
        edit(3, 'target = ["y", 3]'),
        ["model.toml:3:16: data.target[1]: expected a string, got 3"],
    ),
    "no target columns": (edit(3, "target = []"), ["model.toml:3:1: data.target: must not be empty"]),
    "features are a string": (
        edit(2, 'file = "data.csv"\nfeatures = "a"'),
        ["model.toml:3:1: data.features: expected a list, got the string 'a'; write ['a']"],
    ),
    "no features": (
        edit(2, 'file = "data.csv"\nfeatures = []'),
        ["model.toml:3:1: data.features: must not be empty"],
    ),
    "normalize is a number": (
        edit(2, 'file = "data.csv"\nnormalize = 1'),
        ["model.toml:3:1: data.normalize: expected true or false, got 1"],
    ),
    "synthetic is a number": (
        edit(2, "synthetic = 3"),
        ["model.toml:2:1: data.synthetic: expected a table, got 3"],
    ),
    "units are a fraction": (
        edit(5, "layers = [{ units = 1.0 }]"),
        ["model.toml:5:13: network.layers[0].units: expected a whole number, got 1.0"],
    ),
    "units are a word": (
        edit(5, 'layers = [{ units = "1" }]'),
        ["model.toml:5:13: network.layers[0].units: expected a whole number, got the string '1'"],
    ),
    "units are true": (
        edit(5, "layers = [{ units = true }]"),
        ["model.toml:5:13: network.layers[0].units: expected a whole number, got true"],
    ),
    "weights are a number": (
        edit(6, 'loss = "binary_cross_entropy"\nweights = 3'),
        ["model.toml:7:1: network.weights: expected a string, got 3"],
    ),
    "l2 is true": (
        edit(6, 'loss = "binary_cross_entropy"\nl2 = true'),
        ["model.toml:7:1: network.l2: expected a number, got true"],
    ),
    "seed is a fraction": (edit(8, "seed = 1.5"), ["model.toml:8:1: check.seed: expected a whole number, got 1.5"]),
    "seed is a date": (
        edit(8, "seed = 1979-05-27"),
        ["model.toml:8:1: check.seed: expected a whole number, got the date or time 1979-05-27"],
    ),
    "epsilon is a word": (
        edit(8, 'epsilon = "small"'),
        ['model.toml:8:1: check.epsilon: expected "auto" or a positive number, got the string \'small\''],
    ),
    "epsilon is true": (
        edit(8, "epsilon = true"),
        ['model.toml:8:1: check.epsilon: expected "auto" or a positive number, got true'],
    ),
    "tolerance is a word": (
        edit(8, 'tolerance = "tight"'),
        ["model.toml:8:1: check.tolerance: expected a number, got the string 'tight'"],
    ),
    "difference is a number": (
        edit(8, "difference = 1"),
        ["model.toml:8:1: check.difference: expected a string, got 1; known: central, forward"],
    ),
    "backends are a string": (
        edit(8, 'backends = "numpy"'),
        ["model.toml:8:1: check.backends: expected a list, got the string 'numpy'; write ['numpy']"],
    ),
    "a backend is a number": (
        edit(8, 'backends = ["numpy", 1]'),
        ["model.toml:8:22: check.backends[1]: expected a string, got 1"],
    ),
    "no backends": (edit(8, "backends = []"), ["model.toml:8:1: check.backends: must not be empty"]),
    "a string of several lines": (
        edit(8, 'seed = """a\nb"""'),
        ["model.toml:8:1: check.seed: expected a whole number, got the string 'a\\nb'"],
    ),
    "a string beyond all length": (
        edit(8, f'seed = "{"x" * 10_000}"'),
        [f"model.toml:8:1: check.seed: expected a whole number, got the string '{'x' * 37}...'"],
    ),
}  # fmt: skip

RANGES: dict[str, Case] = {
    "no units": (
        edit(5, "layers = [{ units = 0 }]"),
        ["model.toml:5:13: network.layers[0].units: must be at least 1, got 0"],
    ),
    "units beyond 64 bits": (
        edit(5, f"layers = [{{ units = 1{'0' * 30} }}]"),
        ["model.toml:5:13: network.layers[0].units: must be at most 9223372036854775807, got an integer of 100 bits"],
    ),
    "no examples": (
        edit(2, 'file = "data.csv"\nexamples = 0'),
        ["model.toml:3:1: data.examples: must be at least 1, got 0"],
    ),
    "no inputs": (
        edit(2, "synthetic = { inputs = 0 }").replace('target = "y"\n', ""),
        ["model.toml:2:15: data.synthetic.inputs: must be at least 1, got 0"],
    ),
    "nothing kept": (
        edit(5, "layers = [{ units = 1, keep_prob = 0 }]"),
        ["model.toml:5:24: network.layers[0].keep_prob: must be greater than 0, got 0"],
    ),
    "more than everything kept": (
        edit(6, 'loss = "binary_cross_entropy"\ninput_keep_prob = 1.1'),
        ["model.toml:7:1: network.input_keep_prob: must be at most 1, got 1.1"],
    ),
    "l1 below zero": (
        edit(6, 'loss = "binary_cross_entropy"\nl1 = -0.5'),
        ["model.toml:7:1: network.l1: must be at least 0, got -0.5"],
    ),
    "l2 is nan": (
        edit(6, 'loss = "binary_cross_entropy"\nl2 = nan'),
        ["model.toml:7:1: network.l2: expected a finite number, got nan"],
    ),
    "seed below zero": (edit(8, "seed = -1"), ["model.toml:8:1: check.seed: must be at least 0, got -1"]),
    "no step": (
        edit(8, "epsilon = 0"),
        ['model.toml:8:1: check.epsilon: expected "auto" or a positive number, got 0'],
    ),
    "step is inf": (
        edit(8, "epsilon = inf"),
        ['model.toml:8:1: check.epsilon: expected "auto" or a positive number, got inf'],
    ),
    "step beyond float64": (
        edit(8, f"epsilon = 1{'0' * 400}"),
        ['model.toml:8:1: check.epsilon: expected "auto" or a positive number, got an integer of 1329 bits'],
    ),
    "no tolerance": (
        edit(8, "tolerance = 0.0"),
        ["model.toml:8:1: check.tolerance: must be greater than 0, got 0.0"],
    ),
    "tolerance is nan": (
        edit(8, "tolerance = nan"),
        ["model.toml:8:1: check.tolerance: expected a finite number, got nan"],
    ),
    "backend twice": (
        edit(8, 'backends = ["numpy", "numpy"]'),
        ["model.toml:8:22: check.backends[1]: 'numpy' is named twice"],
    ),
}

WORDS: dict[str, Case] = {
    "activation": (
        edit(5, 'layers = [{ units = 1, activation = "rellu" }]'),
        ["model.toml:5:24: network.layers[0].activation: unknown activation 'rellu'; did you mean 'relu'?"],
    ),
    "activation like no other": (
        edit(5, 'layers = [{ units = 1, activation = "cube" }]'),
        [f"model.toml:5:24: network.layers[0].activation: unknown activation 'cube'; known: {', '.join(ACTIVATIONS)}"],
    ),
    "activation in capitals": (
        edit(5, 'layers = [{ units = 1, activation = "RELU" }]'),
        ["model.toml:5:24: network.layers[0].activation: unknown activation 'RELU'; did you mean 'relu'?"],
    ),
    "an activation by another name": (
        edit(5, 'layers = [{ units = 1, activation = "swish" }]'),
        ["model.toml:5:24: network.layers[0].activation: unknown activation 'swish'; did you mean 'silu'?"],
    ),
    "a loss by another name": (
        edit(6, 'loss = "MSE"'),
        ["model.toml:6:1: network.loss: unknown loss 'MSE'; did you mean 'mean_squared_error'?"],
    ),
    "initializer": (
        edit(5, 'layers = [{ units = 1, initializer = "orthogonal" }]'),
        [
            (
                "model.toml:5:24: network.layers[0].initializer: unknown initializer 'orthogonal'; "
                f"known: {', '.join(INITIALIZERS)}"
            )
        ],
    ),
    "loss": (
        edit(6, 'loss = "binary_crossentropy"'),
        ["model.toml:6:1: network.loss: unknown loss 'binary_crossentropy'; did you mean 'binary_cross_entropy'?"],
    ),
    "backend": (
        edit(8, 'backends = ["numpy", "pytorch", "tensorflow"]'),
        [
            "model.toml:8:22: check.backends[1]: unknown backend 'pytorch'; did you mean 'torch'?",
            "model.toml:8:33: check.backends[2]: unknown backend 'tensorflow'; known: numpy, torch, jax",
        ],
    ),
    "difference": (
        edit(8, 'difference = "centered"'),
        ["model.toml:8:1: check.difference: unknown difference 'centered'; did you mean 'central'?"],
    ),
    "dropout": (
        edit(8, 'dropout = "on"'),
        ["model.toml:8:1: check.dropout: unknown dropout 'on'; known: pinned, off"],
    ),
    "dtype": (
        edit(8, 'dtype = "float16"'),
        ["model.toml:8:1: check.dtype: unknown dtype 'float16'; did you mean 'bfloat16'?"],
    ),
    "device": (
        edit(8, 'device = "cuda"'),
        ["model.toml:8:1: check.device: unknown device 'cuda'; known: cpu, gpu"],
    ),
}


@table(KEYS)
def test_keys(text: str, expected: list[str]) -> None:
    """An unknown key gets the key that was probably meant; a missing one is placed at its table."""
    assert complaints(text) == expected


@table(TYPES)
def test_types(text: str, expected: list[str]) -> None:
    """A value of the wrong type is shown with the type that is expected; nothing is converted."""
    assert complaints(text) == expected


@table(RANGES)
def test_ranges(text: str, expected: list[str]) -> None:
    """A number out of its range is shown with the bound."""
    assert complaints(text) == expected


@table(WORDS)
def test_words(text: str, expected: list[str]) -> None:
    """An unknown word gets the word that was probably meant, or all known ones."""
    assert complaints(text) == expected


@pytest.mark.parametrize("line", ["epsilon = 1e-7", 'difference = "forward"'])
def test_the_node_engine_has_steps_of_its_own(line: str) -> None:
    """Values that do not go together are one mistake of their table, with what to do instead."""
    text = f'{edit(8, "seed = 0")}\nengine = "node"\n{line}\n'
    said = "the node engine takes central steps of its own; with epsilon or difference use 'structured'"
    assert complaints(text) == [f"model.toml:7:2: check: {said}"]


def test_windows_line_ends_do_not_move_the_place() -> None:
    """Lines end with CRLF or LF; the place is the same."""
    assert complaints(edit(8, "sed = 1").replace("\n", "\r\n")) == [
        "model.toml:8:1: check.sed: unknown key; did you mean 'seed'?"
    ]
