"""Build: from a validated definition to a Problem. Data are read and fitted to the network; what is random is drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from xcheck.dtypes import DtypeName, largest_of
from xcheck.errors import Complaint, DefinitionError, KeyPath
from xcheck.findings import ACTIVATED_LOGITS, CONSTANT_FEATURE, Finding
from xcheck.layout import Vector
from xcheck.networks.data import Dataset, Parts, Table, encode, read_csv, read_npz, split_into_parts, synthesize
from xcheck.networks.data.augment import Augmentation, augment
from xcheck.networks.definition.layer_tables import DenseTable
from xcheck.networks.definition.schema import Augment, Data, Definition, NetworkTable, Synthetic, Training
from xcheck.networks.definition.weights import read_weights
from xcheck.networks.initializers import network_layout
from xcheck.networks.layers import LayeredNetwork, LayeredProblem
from xcheck.networks.layers.problem import layered_layout
from xcheck.networks.network import ActivationName, Dense, LossName, Network
from xcheck.networks.problem import Problem
from xcheck.seeds import Stream, generator

# The axes of an image along which it is flipped.
_AXES: dict[str, tuple[int, ...]] = {"none": (), "vertical": (0,), "horizontal": (1,), "both": (0, 1)}
# How many rows are checked where the definition does not say it. A guess, chosen as a common size of a batch: the work
# of a check grows with it, and a mistake in a backward pass shows in few rows.
_DEFAULT_EXAMPLES = 64
# Numbers in θ, or in what one layer computes: 0.8 GB in float64, of which a check holds several.
_MOST_NUMBERS = 10**8


def build(definition: Definition, folder: Path, *, name: str) -> tuple[Problem, Parts | None, tuple[Finding, ...]]:
    """Return the problem that a definition describes, the data to train with if it says so, and warnings about it.

    Args:
        definition: validated, without complaints about its files.
        folder: what relative paths are relative to.
        name: how reports call the problem.

    Raises:
        DefinitionError: the data or the weights do not fit; complaints carry their key, not yet their line.
    """
    seed, table, check = definition.check.seed, definition.network, definition.check
    dataset, parts = _choose_rows(definition, folder)
    # Only the data tell the number of inputs.
    network = _build_network(table, dataset.inputs.shape[1])
    theta = None
    if table.weights is not None:
        theta = read_weights(folder / table.weights, network_layout(network))
    # With weights from a file θ is not drawn; the masks are the same either way, since each purpose has its stream.
    problem = Problem.create(
        network,
        dataset.inputs,
        dataset.targets,
        theta=theta,
        dropout=check.dropout,
        seed=seed,
        name=name,
    )
    _check_range({"inputs": problem.inputs, "targets": problem.targets, "theta": problem.theta}, check.dtype)
    whole_of = "file" if parts is None else "training part"
    last = network.layers[-1].activation
    return problem.rounded(check.dtype), parts, _warnings(dataset, network.loss, last, whole_of)


def build_layers(definition: Definition, folder: Path, *, name: str) -> tuple[LayeredProblem, tuple[Finding, ...]]:
    """Return the problem of a definition with layers that are not fully connected, and warnings about it.

    Arguments and errors are those of `build`; shapes that do not fit are among these.
    """
    table, check = definition.network, definition.check
    dataset, _ = _choose_rows(definition, folder)
    network = _build_layers(table, definition.data, dataset.inputs.shape[1])
    inputs = dataset.inputs
    if definition.data.image is not None:
        # A file holds the channels of a pixel side by side, behind height and width; the layers want them first.
        height, width = definition.data.image[:2]
        inputs = np.moveaxis(inputs.reshape(len(inputs), height, width, -1), -1, 1)
    theta = None
    if table.weights is not None:
        theta = read_weights(folder / table.weights, layered_layout(network))
    problem = LayeredProblem.create(
        network, inputs, dataset.targets, theta=theta, dropout=check.dropout, seed=check.seed, name=name
    )
    held = {"inputs": problem.inputs, "targets": problem.targets}
    _check_range({**held, **{key: problem.theta[key] for key in network.shapes}}, check.dtype)
    # A blank pixel has no weights of its own under a convolution, so less is said of it.
    return problem, _warnings(dataset, network.loss, network.layers[-1].activation, "file", "")


def _choose_rows(definition: Definition, folder: Path) -> tuple[Dataset, Parts | None]:
    """Return the rows that are checked, and all of them in parts if there is a training."""
    seed, table = definition.check.seed, definition.network
    whole, examples = _read_rows(definition.data, table, folder, seed, trained=definition.training is not None)
    # Split first: the rows that are checked are then rows of the training part.
    parts = None if definition.training is None else _split(whole, definition, definition.training)
    source = whole if parts is None else parts.training
    return _draw_examples(definition.data, source, examples, seed, trained=parts is not None), parts


def _split(whole: Dataset, definition: Definition, training: Training) -> Parts:
    """Split the rows for training, stratified where targets are classes, and complain about a part without rows."""
    rng = generator(definition.check.seed, Stream.SPLIT)
    parts = split_into_parts(whole, training.split, rng, classes=definition.network.loss != "mean_squared_error")
    each = [parts.training, parts.validation, *([] if parts.test is None else [parts.test])]
    if not all(len(part.inputs) for part in each):
        sizes = ", ".join(str(len(part.inputs)) for part in each)
        text = f"{len(whole.inputs)} rows are too few to split: the parts would have {sizes}"
        raise DefinitionError(Complaint(text, key=("training",)))
    if training.augment is not None:
        # Losses and errors along the way are those of the originals.
        originals = len(parts.training.inputs)
        copied = _augment(parts.training, definition, training.augment)
        parts = replace(parts, training=copied, originals=originals)
    return parts.normalized() if definition.data.normalize else parts


def _augment(dataset: Dataset, definition: Definition, plan: Augment) -> Dataset:
    """Return the training part with copies of its images added; they are made before anything is normalised."""
    shape, features = definition.data.image, dataset.inputs.shape[1]
    if shape is None or math.prod(shape) != features:
        given = "no shape" if shape is None else f"the shape {shape}"
        text = (
            f"images of {features} numbers need image = [height, width] or [height, width, channels]; {given} is given"
        )
        # At the shape if it is wrong; where there is none, at the key that needs one.
        raise DefinitionError(Complaint(text, key=("data", "image") if shape else ("training", "augment")))
    if plan.crop >= min(shape[:2]):
        text = f"crop = {plan.crop} leaves nothing of {shape[0]} x {shape[1]} pixels"
        raise DefinitionError(Complaint(text, key=("training", "augment", "crop")))
    if plan.distort > max(shape[:2]):
        text = f"distort = {plan.distort:g} pixels, but images have {shape[0]} x {shape[1]}"
        raise DefinitionError(Complaint(text, key=("training", "augment", "distort")))
    # The originals stay, beside their copies.
    numbers = len(dataset.inputs) * (plan.copies + 1) * features
    if numbers > _MOST_NUMBERS:
        text = f"{plan.copies} copies of {len(dataset.inputs)} images are {numbers} numbers, at most {_MOST_NUMBERS}"
        raise DefinitionError(Complaint(text, key=("training", "augment", "copies")))
    changes = Augmentation(
        copies=plan.copies, flip=_AXES[plan.flip], rotate=plan.rotate, crop=plan.crop, distort=plan.distort
    )
    return augment(dataset, shape, changes, generator(definition.check.seed, Stream.AUGMENT))


def _draw_examples(data: Data, source: Dataset, examples: int, seed: int, *, trained: bool) -> Dataset:
    """Return the rows that are checked; with training they are rows of the training part."""
    rows = len(source.inputs)
    if trained and examples > rows:
        # A number that a person wrote is not silently made smaller; the default is.
        if data.examples is not None:
            text = f"{examples} examples, but the training part has {rows} rows"
            raise DefinitionError(Complaint(text, key=("data", "examples")))
        examples = rows
    # By the mean of all rows, not of those drawn. Parts of a training are normalised already, and synthetic inputs are
    # drawn on that scale.
    if not trained and data.synthetic is None and data.normalize:
        source = source.normalized()
    if not trained and data.synthetic is not None:
        return source
    return source.draw(examples, generator(seed, Stream.EXAMPLES))


def _build_network(table: NetworkTable, inputs: int) -> Network:
    return Network(
        inputs=inputs,
        layers=tuple(Dense(**layer.model_dump(exclude={"kind"})) for layer in table.layers),
        loss=table.loss,
        l2=table.l2,
        l1=table.l1,
        input_keep_prob=table.input_keep_prob,
    )


def _build_layers(table: NetworkTable, data: Data, inputs: int) -> LayeredNetwork:
    """Return a network of any layers for rows of so many inputs.

    Raises:
        DefinitionError: a layer does not take what comes from below, or images have another number of pixels.
    """
    if data.image is not None and math.prod(data.image) != inputs:
        text = f"the shape {data.image} has {math.prod(data.image)} numbers, a row has {inputs}"
        raise DefinitionError(Complaint(text, key=("data", "image")))
    height, width, *channels = data.image or (0, 0)
    return LayeredNetwork(
        input_shape=(inputs,) if data.image is None else (*(channels or [1]), height, width),
        layers=tuple(layer.layer() for layer in table.layers),
        loss=table.loss,
        l2=table.l2,
        l1=table.l1,
        input_keep_prob=table.input_keep_prob,
    )


def _measure(table: NetworkTable, data: Data, inputs: int) -> tuple[int, tuple[int, ...]]:
    """Return the number of parameters, and how many numbers of an example each layer computes, its inputs first."""
    if all(isinstance(layer, DenseTable) for layer in table.layers):
        dense = _build_network(table, inputs)
        return network_layout(dense).size, dense.widths
    network = _build_layers(table, data, inputs)
    return layered_layout(network).size, (inputs, *(math.prod(placed.outputs) for placed in network.placed))


def _read_rows(data: Data, table: NetworkTable, folder: Path, seed: int, *, trained: bool) -> tuple[Dataset, int]:
    """Return all rows, not yet normalised, and the number of them that is to be checked."""
    if data.synthetic is not None:
        return _make_rows(data.synthetic, data, table, seed, trained=trained)
    return _read_file(folder / (data.file or ""), data, table)


def _read_file(path: Path, data: Data, table: NetworkTable) -> tuple[Dataset, int]:
    held = _read_table(path, data, table.loss)
    rows, inputs = held.inputs.shape
    examples = data.examples or min(_DEFAULT_EXAMPLES, rows)
    if examples > rows:
        text = f"{examples} examples, but {path} has {rows} {'row' if rows == 1 else 'rows'}"
        raise DefinitionError(Complaint(text, key=("data", "examples")))
    # Before targets are encoded: one-hot rows are as wide as the last layer.
    parameters, widths = _measure(table, data, inputs)
    _check_size(parameters, widths, rows, examples)
    try:
        return encode(held, table.loss, widths[-1]), examples
    except DefinitionError as error:
        # The encoder knows the last layer as layer −1.
        raise DefinitionError(_count_from_the_start(c, len(table.layers)) for c in error.complaints) from error


def _count_from_the_start(complaint: Complaint, layers: int) -> Complaint:
    """Replace negative numbers in a key, which count layers from the end, by those that count from the start."""
    key: KeyPath = tuple(part + layers if isinstance(part, int) and part < 0 else part for part in complaint.key)
    return replace(complaint, key=key)


def _make_rows(
    synthetic: Synthetic, data: Data, table: NetworkTable, seed: int, *, trained: bool
) -> tuple[Dataset, int]:
    # What is trained on is more than what is checked; without training, all rows that are made are checked.
    examples = synthetic.examples if trained else data.examples or synthetic.examples
    parameters, widths = _measure(table, data, synthetic.inputs)
    _check_size(parameters, widths, examples, examples)
    rng = generator(seed, Stream.SYNTHETIC)
    drawn = synthesize(synthetic.inputs, examples, table.loss, widths[-1], rng)
    return drawn, data.examples or min(_DEFAULT_EXAMPLES, examples)


def _check_size(parameters: int, widths: Sequence[int], rows: int, examples: int) -> None:
    """Complain about a θ, targets or units of one layer that would exhaust the memory, before they do."""
    # Targets are there for all rows, activations for the rows that are checked.
    numbers = max(rows * widths[-1], examples * max(widths))
    if max(parameters, numbers) > _MOST_NUMBERS:
        units = "-".join(str(width) for width in widths)
        what = f"{parameters} parameters" if parameters > _MOST_NUMBERS else f"{numbers} numbers in one layer"
        text = f"too large to check: {units} units with {examples} examples are {what}, at most {_MOST_NUMBERS}"
        raise DefinitionError(Complaint(text, key=("network", "layers")))


def _check_range(held: Mapping[str, Vector], dtype: DtypeName) -> None:
    """Complain about numbers that are too large for `dtype`; rounding would make them infinite."""
    largest = largest_of(dtype)
    for what, numbers in held.items():
        reach = float(np.abs(numbers).max(initial=0.0))
        if reach > largest:
            text = f"the {what} reach {reach:.3g}, {dtype} ends at {largest:.3g}; use float64"
            raise DefinitionError(Complaint(text, key=("check", "dtype")))


def _read_table(path: Path, data: Data, loss: LossName) -> Table:
    target = data.target or ["y"]
    if path.suffix.lower() == ".npz":
        return read_npz(path, target=target[0])
    return read_csv(path, target=target, features=data.features, classes=loss != "mean_squared_error")


def _warnings(
    dataset: Dataset, loss: LossName, last: ActivationName, whole: str, so: str = "; their weights get no gradient"
) -> tuple[Finding, ...]:
    warnings = []
    if dataset.constant:
        # One warning for all of them: a file of images may have hundreds of blank pixels.
        names = ", ".join(dataset.constant)
        text = f"constant over the whole {whole}, so only centred: {names}{so}"
        warnings.append(Finding(code=CONSTANT_FEATURE, text=text, value=float(len(dataset.constant))))
    if loss != "mean_squared_error" and last in ("sigmoid", "softplus"):
        text = f"{loss} takes logits, but the last layer applies {last} to them"
        warnings.append(Finding(code=ACTIVATED_LOGITS, text=text))
    return tuple(warnings)
