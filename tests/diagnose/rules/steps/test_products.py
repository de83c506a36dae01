"""Factors that are forgotten, there twice, or another number in what goes back through a product."""

import numpy as np
import pytest

from tests.diagnose.rules.steps.programs import program_of, texts_of
from xcheck.diagnose.rules.steps.products import mistaken_factors

RNG = np.random.default_rng(3)
A, B, C, D = (RNG.standard_normal((4, 3)) for _ in range(4))
S, T = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 6))
G = {"a": A, "b": B, "c": C + 3}


def loss(p: dict[str, np.ndarray]) -> float:
    """D weighs a tanh(b)/c."""
    return float(np.sum(D * (p["a"] * np.tanh(p["b"]) / p["c"])))


RIGHT = {
    "a": D * np.tanh(B) / G["c"],
    "b": D * A * (1 - np.tanh(B) ** 2) / G["c"],
    "c": -D * A * np.tanh(B) / G["c"] ** 2,
}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"a": D / G["c"]}, "what goes back to a lacks the factor tanh at"),
        ({"a": D * np.tanh(B)}, "what goes back to a lacks the factor 1/(c)"),
        ({"a": D * np.tanh(B) ** 2 / G["c"]}, "what goes back to a has the factor tanh at"),
        ({"a": D * B / G["c"]}, "what goes back to a has the factor b in the place of tanh at"),
        ({"a": D * (1 - np.tanh(B)) / G["c"]}, "what goes back to a has the factor 1 − f for f = tanh at"),
        ({"c": -RIGHT["c"]}, "what goes back to c has the opposite sign"),
        ({"c": -D * A * np.tanh(B) / G["c"]}, "what goes back to c is divided by c once, and not twice"),
        ({"a": np.ones_like(D)}, "what goes back to a lacks all other factors"),
        ({"a": D * np.tanh(B), "b": RIGHT["b"] * G["c"]}, "what goes back to all other factors lacks the factor 1/(c)"),
    ],
)
def test_a_factor(wrong: dict[str, np.ndarray], text: str) -> None:
    """Quotients are products, and several products in a row are one."""
    assert any(text in found for found in texts_of(mistaken_factors, program_of(loss, G), {**RIGHT, **wrong}))


def test_the_right_gradient_is_no_mistake() -> None:
    """Every change makes another gradient."""
    assert not texts_of(mistaken_factors, program_of(loss, G), RIGHT)


def test_a_square_matrix_that_is_not_transposed() -> None:
    """The right gradient is nothing that a change gives."""
    weights = D @ T
    program = program_of(lambda p: np.sum(weights * (p["x"] @ S @ T)), {"x": A})
    (text,) = texts_of(mistaken_factors, program, {"x": (weights @ T.T) @ S})
    assert text.endswith("the other factor is not transposed in what goes back to x")
    assert not texts_of(mistaken_factors, program, {"x": (weights @ T.T) @ S.T})


def test_what_arrives_is_transposed() -> None:
    """At a square product, such as the scores of an attention."""
    weights = RNG.standard_normal((3, 3))
    program = program_of(lambda p: np.sum(weights * (p["x"] @ T.T)), {"x": RNG.standard_normal((3, 6))})
    (text,) = texts_of(mistaken_factors, program, {"x": weights.T @ T})
    assert text.endswith("what arrives is transposed in what goes back to x")


def test_square_blocks_that_are_not_transposed() -> None:
    """Two gates side by side, each transposed by itself."""
    weights = RNG.standard_normal((4, 6))
    program = program_of(lambda p: np.sum(weights * (p["x"] @ T)), {"x": A})
    wrong = weights @ np.concatenate([T[:, :3], T[:, 3:]])
    assert any("square blocks" in text for text in texts_of(mistaken_factors, program, {"x": wrong}))


def test_another_matrix_of_the_same_shape() -> None:
    """The output's gradient is made with the activation of the layer before."""
    program = program_of(lambda p: np.sum((np.tanh(p["a"]) @ p["W"]) * D), {"a": A, "W": S})
    wrong = {"a": (D @ S.T) * (1 - np.tanh(A) ** 2), "W": A.T @ D}
    assert any("a stands for tanh at" in text for text in texts_of(mistaken_factors, program, wrong))
