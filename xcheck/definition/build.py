"""Definition -> Problem: read the data, fit it to the network, draw what is random."""

from pathlib import Path

import numpy as np

from xcheck.data import Dataset, Table, encode, read_csv, read_npz, synthesize
from xcheck.definition.schema import Data, Definition, NetworkTable, Synthetic
from xcheck.definition.weights import read_weights
from xcheck.errors import Complaint, DefinitionError, KeyPath
from xcheck.findings import ACTIVATED_LOGITS, CONSTANT_FEATURE, Finding
from xcheck.network import Dense, LossName, Network
from xcheck.parameters import Layout
from xcheck.problem import Problem

_EXAMPLES_STREAM, _SYNTHETIC_STREAM = 4, 5
_DEFAULT_EXAMPLES = 64


def build(definition: Definition, folder: Path, *, name: str) -> tuple[Problem, tuple[Finding, ...]]:
    """Return the problem that a definition describes, and warnings about it.

    Args:
        definition: validated.
        folder: what relative paths are relative to.
        name: how reports call the problem.

    Raises:
        DefinitionError: the data or the weights do not fit; complaints carry their key, not yet their line.
    """
    seed, table = definition.check.seed, definition.network
    dataset = _dataset(definition.data, table, folder, seed)
    network = _network(table, dataset.inputs.shape[1])
    theta = None
    if table.weights is not None:
        theta = read_weights(folder / table.weights, Layout.of_network(network))
    problem = Problem.create(
        network,
        dataset.inputs,
        dataset.targets,
        theta=theta,
        dropout=definition.check.dropout,
        seed=seed,
        name=name,
    )
    return problem.rounded(definition.check.dtype), _warnings(dataset, network)


def _network(table: NetworkTable, inputs: int) -> Network:
    return Network(
        inputs=inputs,
        layers=tuple(Dense(**layer.model_dump()) for layer in table.layers),
        loss=table.loss,
        l2=table.l2,
        l1=table.l1,
        input_keep_prob=table.input_keep_prob,
    )


def _dataset(data: Data, table: NetworkTable, folder: Path, seed: int) -> Dataset:
    if data.file is not None and data.synthetic is None:
        return _from_file(data.file, data, table, folder, seed)
    if data.synthetic is not None and data.file is None:
        return _synthetic(data.synthetic, data, table, seed)
    text = "needs either 'file' or 'synthetic'" + (", not both" if data.file else "")
    raise DefinitionError(Complaint(text, key=("data",)))


def _from_file(file: str, data: Data, table: NetworkTable, folder: Path, seed: int) -> Dataset:
    try:
        whole = encode(_read(folder / file, data, table.loss), table.loss, table.layers[-1].units)
    except DefinitionError as error:
        raise DefinitionError(_from_the_end(c, len(table.layers)) for c in error.complaints) from error
    whole = whole.normalized() if data.normalize else whole
    rows = len(whole.inputs)
    examples = data.examples or min(_DEFAULT_EXAMPLES, rows)
    if examples > rows:
        raise DefinitionError(Complaint(f"{examples} examples, but {file} has {rows} rows", key=("data", "examples")))
    return whole.draw(examples, np.random.default_rng([seed, _EXAMPLES_STREAM]))


def _from_the_end(complaint: Complaint, layers: int) -> Complaint:
    """Give a key that counts from the last layer its place in the list."""
    key: KeyPath = tuple(part + layers if isinstance(part, int) and part < 0 else part for part in complaint.key)
    return Complaint(complaint.text, key, complaint.file, complaint.line, complaint.column)


def _synthetic(synthetic: Synthetic, data: Data, table: NetworkTable, seed: int) -> Dataset:
    unused = [key for key in ("target", "features") if getattr(data, key) is not None]
    if unused:
        raise DefinitionError(Complaint("has no meaning with 'synthetic'", key=("data", key)) for key in unused)
    rng = np.random.default_rng([seed, _SYNTHETIC_STREAM])
    examples = data.examples or synthetic.examples
    return synthesize(synthetic.inputs, examples, table.loss, table.layers[-1].units, rng)


def _read(path: Path, data: Data, loss: LossName) -> Table:
    if path.suffix == ".csv":
        return _read_csv(path, data, loss)
    if path.suffix == ".npz":
        return _read_npz(path, data)
    raise DefinitionError(Complaint(f"{path} is neither .csv nor .npz", key=("data", "file")))


def _read_csv(path: Path, data: Data, loss: LossName) -> Table:
    if data.target is None:
        raise DefinitionError(Complaint("missing: a csv needs the name of its target column", key=("data", "target")))
    return read_csv(path, target=data.target, features=data.features, classes=loss != "mean_squared_error")


def _read_npz(path: Path, data: Data) -> Table:
    if data.features is not None:
        text = "has no meaning for .npz, whose inputs are one array"
        raise DefinitionError(Complaint(text, key=("data", "features")))
    names = data.target or ["y"]
    if len(names) > 1:
        raise DefinitionError(Complaint("an .npz has one target array", key=("data", "target")))
    return read_npz(path, target=names[0])


def _warnings(dataset: Dataset, network: Network) -> tuple[Finding, ...]:
    warnings = []
    if dataset.constant:
        names = ", ".join(dataset.constant)
        text = f"constant over the whole file, so only centred: {names}; their weights get no gradient"
        warnings.append(Finding(code=CONSTANT_FEATURE, text=text, value=float(len(dataset.constant))))
    last = network.layers[-1].activation
    if network.loss != "mean_squared_error" and last in ("sigmoid", "softplus"):
        text = f"{network.loss} takes logits, but the last layer applies {last} to them"
        warnings.append(Finding(code=ACTIVATED_LOGITS, text=text))
    return tuple(warnings)
