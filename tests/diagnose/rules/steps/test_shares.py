"""Uses of a value that are forgotten on the way back."""

import numpy as np

from tests.diagnose.rules.steps.programs import program_of, texts_of
from xcheck.diagnose.rules.steps.shares import missing_shares

RNG = np.random.default_rng(3)
X, D = RNG.standard_normal((4, 6)), RNG.standard_normal((4, 6))


def test_a_connection_around_a_layer() -> None:
    """x + tanh(x), of which one of both is forgotten."""
    program = program_of(lambda p: np.sum(D * (p["x"] + np.tanh(p["x"]))), {"x": X})
    (around,) = texts_of(missing_shares, program, {"x": D * (1 - np.tanh(X) ** 2)})
    (through,) = texts_of(missing_shares, program, {"x": D})
    assert around.startswith("what goes back to x lacks its share through `np.add`")
    assert through.startswith("what goes back to x lacks its share through `np.tanh`")


def test_a_part_of_what_is_split() -> None:
    """The second of two halves is detached."""

    def loss(p: dict[str, np.ndarray]) -> float:
        first, second = np.split(p["x"], 2, axis=1)
        return float(np.sum(D[:, :3] * first * np.tanh(second)))

    first, second = np.split(X, 2, axis=1)
    wrong = np.concatenate([D[:, :3] * np.tanh(second), np.zeros((4, 3))], axis=1)
    (text,) = texts_of(missing_shares, program_of(loss, {"x": X}), {"x": wrong})
    assert text.startswith("nothing goes back through part 2 of 2 of `np.split`")
    assert first.shape == second.shape


def test_a_value_that_is_used_once_has_no_share_to_forget() -> None:
    """Without it, nothing would be left."""
    assert not list(missing_shares(program_of(lambda p: np.sum(D * np.tanh(p["x"])), {"x": X})))
