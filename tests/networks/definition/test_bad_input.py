"""Whatever is wrong in a definition: each mistake with its place, its key and what to do."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.networks.definition.conftest import GOOD, NOWHERE, Case, complaints, edit, table, write
from xcheck.errors import DefinitionError
from xcheck.networks.definition import load
from xcheck.networks.network import ACTIVATIONS, INITIALIZERS

pytestmark = pytest.mark.usefixtures("here")

# --- the text -------------------------------------------------------------------------------------------------------

NOT_TOML: dict[str, Case] = {
    "no value": ("[data]\nfile = \n", ["model.toml:2:8: not TOML: Invalid value"]),
    "table not closed": (
        "[data",
        ["model.toml: not TOML: Expected ']' at the end of a table declaration (at end of document)"],
    ),
    "key twice": (GOOD + "seed = 1\n", ["model.toml:9:9: not TOML: Cannot overwrite a value"]),
    "nested beyond reason": ("a = " + "[" * 100_000, ["model.toml: not TOML: nested too deeply"]),
}

ENDLESS = edit(8, f"seed = {'9' * 5000}")
HEXADECIMAL = edit(8, f"seed = 0x{'F' * 5000}")


@table(NOT_TOML)
def test_a_text_that_is_not_toml(text: str, expected: list[str]) -> None:
    """A text that is not TOML is one mistake, at its line and column where the parser knows them."""
    assert complaints(text) == expected


def test_an_integer_with_thousands_of_digits() -> None:
    """Python's own limit on the digits of an integer does not come out as a traceback."""
    (line,) = complaints(ENDLESS)
    assert line.startswith("model.toml: not TOML: an integer is too long: ")


def test_an_integer_too_long_to_be_written() -> None:
    """A hexadecimal integer may have any length, but a message does not spell it out."""
    assert complaints(HEXADECIMAL) == [
        "model.toml:8:1: check.seed: must be at most 9223372036854775807, got an integer of 20000 bits"
    ]


def test_a_missing_file() -> None:
    """A definition that is not there is named as it was typed."""
    with pytest.raises(DefinitionError, match=r"^nowhere\.toml: cannot read: no such file$"):
        load(Path("nowhere.toml"))


def test_a_folder_in_place_of_a_file(here: Path) -> None:
    """A folder is not a definition."""
    (here / "model.toml").mkdir()
    with pytest.raises(DefinitionError, match=r"^model\.toml: cannot read: Is a directory$"):
        load(Path("model.toml"))


def test_a_file_that_cannot_be_read(here: Path) -> None:
    """The operating system's reason is passed on."""
    (here / "model.toml").symlink_to("model.toml")
    with pytest.raises(DefinitionError, match=r"^model\.toml: cannot read: Too many levels of symbolic links$"):
        load(Path("model.toml"))


def test_a_binary_file(here: Path) -> None:
    """A file that is no text is said to be none."""
    (here / "model.toml").write_bytes(bytes(range(256)))
    with pytest.raises(DefinitionError, match=r"^model\.toml: not a UTF-8 text: .*0x80 in position 128"):
        load(Path("model.toml"))


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
                "dtype, device, engine, budget, seed"
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
                "dtype, device, engine, budget, seed"
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
    "initializer": (
        edit(5, 'layers = [{ units = 1, initializer = "kaiming" }]'),
        [
            (
                "model.toml:5:24: network.layers[0].initializer: unknown initializer 'kaiming'; "
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
        "network": {"layers": [{"units": 1, "activaton": "relu"}], "loss": "mse", 1: 2},
    }
    with pytest.raises(DefinitionError) as caught:
        load(definition)
    assert str(caught.value).splitlines() == [
        "network.layers[0].activaton: unknown key; did you mean 'activation'?",
        "network.loss: unknown loss 'mse'; known: binary_cross_entropy, softmax_cross_entropy, mean_squared_error",
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
