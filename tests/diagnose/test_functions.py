"""Causes in people's own functions: names, shapes and θ are all that is known."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck import Report, check, objective
from xcheck.diagnose.functions import compare_changes
from xcheck.layout import Vector

Params = dict[str, Vector]
Spoil = Callable[[Params, Params], Params]

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((7, 4)), rng.standard_normal((7, 3))
PARAMS: Params = {
    "W": rng.standard_normal((4, 4)),
    "V": rng.standard_normal((4, 3)),
    "U": rng.standard_normal((4, 4)),
    "b": rng.standard_normal(3),
}


def loss(p: Params, x: Vector, y: Vector) -> float:
    """Half the mean squared error of two layers of tanh."""
    h = np.tanh(np.tanh(x @ p["W"]) @ p["U"])
    return float(((h @ p["V"] + p["b"] - y) ** 2).sum() / 2 / len(x))


def gradient(p: Params, x: Vector, y: Vector) -> Params:
    """Its gradient, by hand."""
    a = np.tanh(x @ p["W"])
    h = np.tanh(a @ p["U"])
    r = (h @ p["V"] + p["b"] - y) / len(x)
    d = (r @ p["V"].T) * (1 - h**2)
    return {"W": x.T @ ((d @ p["U"].T) * (1 - a**2)), "U": a.T @ d, "V": h.T @ r, "b": r.sum(0)}


def checked(spoil: Spoil, **settings: object) -> Report:
    """The report about the spoiled gradient."""
    return check(loss, PARAMS, (X, Y), gradient=lambda p, x, y: spoil(gradient(p, x, y), p), **settings)  # type: ignore[arg-type] # settings of `check`


def with_one(name: str, index: tuple[int, ...], value: float) -> Spoil:
    """Another number in one place."""

    def spoil(g: Params, p: Params) -> Params:
        g[name][index] = value
        return g

    return spoil


def uneven(g: Params, p: Params) -> Params:
    """Nothing that anybody does on purpose."""
    return {name: v * np.exp(v) for name, v in g.items()}


CASES: dict[str, tuple[Spoil, str, str]] = {
    "everything x 7": (
        lambda g, p: {name: 7 * v for name, v in g.items()},
        "XC201",
        "W, V, U, b: 7 x what it should be (7 is axis 0 of data[0])",
    ),
    "a mean over two axes for a sum": (
        lambda g, p: {**g, "b": g["b"] / 21},
        "XC201",
        "b: 0.047619 x what it should be (1/21, and 21 is axes 0 and 1 of data[1])",
    ),
    "one tensor x -1": (lambda g, p: {**g, "V": -g["V"]}, "XC202", "V: the opposite sign"),
    "weight decay": (
        lambda g, p: {name: v + 0.1 * p[name] for name, v in g.items()},
        "XC211",
        "W, V, U, b: gradient − oracle = 0.1 θ, as if an L2 penalty were in the gradient and not in",
    ),
    "l1": (lambda g, p: {**g, "W": g["W"] + 0.01 * np.sign(p["W"])}, "XC214", "gradient − oracle = 0.01 sign θ"),
    "transposed": (lambda g, p: {**g, "W": g["W"].T.copy()}, "XC221", "W: transposed"),
    "taken for another shape": (
        lambda g, p: {**g, "V": g["V"].T.reshape(4, 3)},
        "XC221",
        "V: transposed, then taken for shape (4, 3) in memory order",
    ),
    "rows rolled": (lambda g, p: {**g, "V": np.roll(g["V"], 1, axis=0)}, "XC222", "V: its rows are rolled by 1"),
    "columns swapped": (lambda g, p: {**g, "V": g["V"][:, ::-1]}, "XC222", "V: columns 0 and 2 are swapped"),
    "rows reversed": (lambda g, p: {**g, "W": g["W"][::-1]}, "XC222", "W: its rows are in reverse order"),
    "swapped": (lambda g, p: {**g, "W": g["U"], "U": g["W"]}, "XC223", "each has the other's gradient"),
    "zero": (lambda g, p: {**g, "U": 0 * g["U"]}, "XC231", "U: the gradient is zero"),
    "last row": (
        lambda g, p: {**g, "U": g["U"] * (np.arange(4) < 3)[:, None]},
        "XC232",
        "U: row 3 is missing: it is zero",
    ),
    "one component": (with_one("V", (2, 1), 0.0), "XC233", "only V[2, 1] is wrong (0 x), all else of it is right"),
    "one row": (
        lambda g, p: {**g, "V": g["V"] * np.where(np.arange(4) == 1, -1, 1)[:, None]},
        "XC234",
        "V: row 1 is -1 x what it should be (the opposite sign)",
    ),
    "half precision": (
        lambda g, p: {name: v.astype(np.float16).astype(float) for name, v in g.items()},
        "XC251",
        "rounded to float16 (11 bits)",
    ),
    "clipped": (lambda g, p: {name: np.clip(v, -0.1, 0.1) for name, v in g.items()}, "XC252", "clipped at ±0.1"),
    "flushed": (
        lambda g, p: {name: np.where(np.abs(v) < 0.1, 0.0, v) for name, v in g.items()},
        "XC253",
        "what is small is flushed to zero",
    ),
    "nobody knows": (uneven, "XC200", "no known mistake explains the error in W, V, U, b"),
    "nobody knows, in one tensor": (
        lambda g, p: {**g, "W": uneven(g, p)["W"]},
        "XC238",
        "W: the cause is not known, but V, U, b are right",
    ),
    "nobody knows, in a part": (
        lambda g, p: {**g, "W": np.where(np.arange(4) < 2, g["W"], uneven(g, p)["W"])},
        "XC235",
        "W: all that is wrong lies in W[:, 2:4] (8 of its 8 components), and the rest is right",
    ),
    "a factor for each row": (
        lambda g, p: {**g, "W": g["W"] * np.array([0.7, 1.3, 2.2, 0.4])[:, None]},
        "XC208",
        "along axis 1 it is a multiple of what it should be, with a factor for each slice (4 numbers from 0.4 to 2.2)",
    ),
    "a constant in each column": (
        lambda g, p: {**g, "U": g["U"] + np.array([0.1, -0.2, 0.3, 0.4])},
        "XC236",
        "U: gradient − oracle is the same along axis 0 (4 numbers from -0.2 to 0.4)",
    ),
    "a multiple of each column of the parameter": (
        lambda g, p: {**g, "U": g["U"] + p["U"] * np.array([0.1, -0.2, 0.3, 0.4])},
        "XC237",
        "U: along axis 0 gradient − oracle is a multiple of U (4 numbers from -0.2 to 0.4)",
    ),
    "by the logarithm": (
        lambda g, p: {**g, "V": g["V"] * p["V"]},
        "XC209",
        "V: multiplied by V, as if it were by log V",
    ),
    "made symmetric": (
        lambda g, p: {**g, "W": (g["W"] + g["W"].T) / 2},
        "XC226",
        "W: it is made symmetric, (r + rᵀ)/2 of what it should be",
    ),
    "one place on": (
        lambda g, p: {**g, "U": np.concatenate([0 * g["U"][:1], g["U"][:-1]])},
        "XC225",
        "U: moved along axis 0 by 1 place forward, with zeros at the edge",
    ),
}


@pytest.mark.parametrize(
    ("b", "where"),
    [
        (0.25, "moving a changes them differently (by 0.5 and 0.75); moving any other changes both alike"),
        (
            0.25 * (1 + 1e-6),
            (
                "moving a changes them differently (by 0.5 and 0.75); moving any other changes both alike, to 1e-06 of "
                "the change"
            ),
        ),
        (0.5, "moving any of the parameters changes them differently (b most: by 0.25 and 0.5)"),
    ],
)
def test_what_is_alike_to_six_digits_only_is_not_called_alike(b: float, where: str) -> None:
    """Two losses at θ, with a moved, and with b moved."""
    said, parted = compare_changes(["a", "b"], np.array([1.0, 1.5, 1.25]), np.array([1.0, 1.75, 1.0 + b]))
    assert said == where
    assert parted == (["a", "b"] if b == 0.5 else ["a"])


@pytest.mark.parametrize(
    ("factor", "constant", "where"),
    [
        (1 + 1e-6, 0.0, "the first is 0.999999 x the second wherever θ is"),
        (
            1.0,
            1e-6,
            "moving any parameter changes both alike: they differ by a constant, and must have equal gradients",
        ),
        (1 + 1e-6, 1e-3, "moving any of the parameters changes them differently ({} most: by {})"),
    ],
)
def test_a_difference_of_a_millionth_is_no_constant(factor: float, constant: float, where: str) -> None:
    """A factor of 1 + 1e-6 changes every gradient: only what moves alike to rounding is a constant."""
    first = np.array([1.0, 1.5, 1.25])
    said, _ = compare_changes(["a", "b"], first, factor * first + constant)
    # Both moves differ by the same part of themselves, and rounding decides which is named.
    a, b = (
        where.format(*each) for each in (("a", "0.5, and 5e-07 more or less"), ("b", "0.25, and 3e-07 more or less"))
    )
    assert said in (a, b)


def test_rounding_of_float32_is_no_difference() -> None:
    """Two losses of float32 that differ by a constant."""
    first = np.array([1.0, 1.5, 1.25])
    said, parted = compare_changes(["a", "b"], first, first + 1 + 1e-7 * np.array([1, -1, 1]), roundoff=2.0**-24)
    assert (said[:36], parted) == ("moving any parameter changes both al", [])


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named(name: str) -> None:
    """With its numbers, and no other cause."""
    spoil, code, words = CASES[name]
    report = checked(spoil)
    assert [finding.code for finding in report.findings] == [code]
    assert words in report.findings[0].text


@pytest.mark.parametrize("budget", [1e-3, 1e-2, 0.05, 1.0])
def test_a_sample_is_enough_for_a_factor(budget: float) -> None:
    """However few components there is time for; how many that are depends on the machine, and the cause must not."""
    report = checked(lambda g, p: {**g, "W": 3 * g["W"]}, scope="sample", budget=budget)
    (cause,) = [finding.text for finding in report.findings if finding.code == "XC201"]
    assert cause == "numpy: W: 3 x what it should be"


def test_a_conjugated_gradient_is_named() -> None:
    """∂L/∂Im with the opposite sign."""
    z = rng.standard_normal(5) + 1j * rng.standard_normal(5)
    report = check(lambda z: float(np.sum(np.abs(z) ** 4)), z, gradient=lambda z: 4 * np.abs(z) ** 2 * z.conj())
    assert [finding.code for finding in report.findings] == ["XC271"]


def test_of_two_functions_the_wrong_one_is_diagnosed() -> None:
    """The other one is right, and left alone."""
    right = objective(loss, "numpy", gradient=gradient)
    wrong = objective(loss, "numpy", gradient=lambda p, x, y: {k: 2 * v for k, v in gradient(p, x, y).items()})
    report = check({"right": right, "wrong": wrong}, PARAMS, (X, Y))
    assert report.odd_one_out == ("wrong",)
    assert [finding.text.split(":")[0] for finding in report.findings] == ["wrong"]
    assert "; right agrees with the oracle, within " in report.consensus
