"""Who computes and who reads a value, and what it is called."""

import numpy as np

from tests.diagnose.rules.steps.programs import program_of

W, X = np.array([[0.3, -0.7, 0.2], [1.1, 0.9, -0.4]]), np.array([[0.5, 0.1], [0.2, -0.3], [0.6, 0.8], [-0.9, 0.4]])


def test_values_are_called_by_what_a_person_wrote() -> None:
    """A parameter by its name, an activation by its own, and both whatever they were reshaped to."""
    program = program_of(lambda p: np.sum((1 / (1 + np.exp(-(X @ p["W"])))).reshape(2, 6) ** 2), {"W": W})
    last = next(operation for operation in program.operations if operation.name == "integer_pow")
    assert program.name(last.inputs[0]).startswith("sigmoid at ")
    dot = next(operation for operation in program.operations if operation.name == "dot")
    assert program.name(dot.inputs[1]) == "W"
    assert program.name(dot.inputs[0]) == "a constant"


def test_axes_that_a_value_is_repeated_along() -> None:
    """A row is repeated along the rows; a matrix that is turned is not repeated."""
    program = program_of(lambda p: np.sum((X @ p["W"] + p["b"]) ** 2 * p["W"].T[:1, 0]), {"W": W, "b": W[0]})
    axes = {
        program.name(op.inputs[0]): program.repeated_axes(n)
        for n, op in enumerate(program.operations)
        if op.name == "move"
    }
    assert axes["b"] == (0,)
    turned = next(n for n, op in enumerate(program.operations) if op.name == "move" and op.outputs[0].shape == (3, 2))
    assert program.repeated_axes(turned) == ()


def test_values_of_the_same_step_belong_together() -> None:
    """In a loop of three steps with two products in each, the second step's tanh is the second of three."""

    def loss(p: dict[str, np.ndarray]) -> float:
        h = p["x"]
        for _ in range(3):
            h = np.tanh(h * p["w"]) * 0.5
        return float(np.sum(h))

    program = program_of(loss, {"x": X, "w": X + 1})
    tanhs = [n for n, operation in enumerate(program.operations) if operation.name == "tanh"]
    for number in tanhs:
        beside = [value for name, value in program.beside(number, X.shape) if "tanh" in name]
        assert beside == [program.operations[number].outputs[0]]


def test_a_maximum_beside_which_a_softmax_is_taken_is_silent() -> None:
    """Nothing arrives there; where the maximum itself counts, something does."""

    def softmax(p: dict[str, np.ndarray]) -> float:
        e = np.exp(p["x"] - p["x"].max(axis=1, keepdims=True))
        return float(np.sum(X * e / e.sum(axis=1, keepdims=True)))

    assert len(program_of(softmax, {"x": X}).silent) == 1
    assert not program_of(lambda p: np.sum(X * (p["x"] - p["x"].max(axis=1, keepdims=True)) ** 2), {"x": X}).silent
