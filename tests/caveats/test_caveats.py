"""Nothing is doubted where there is nothing to doubt."""

from importlib.resources import files

import numpy as np
import pytest

from tests.caveats.conftest import CLASSES, X, Y, check, codes, problem
from xcheck import Dense, verify
from xcheck.findings import CONSTANT_FEATURE
from xcheck.networks.network import ACTIVATIONS, ActivationName

EXAMPLES = ("breast_cancer", "diabetes", "digits", "iris", "logistic_regression")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_shipped_examples_give_no_cause(name: str) -> None:
    """Only the pixels that are blank in all images are told, and they were when the data were read."""
    report = verify(str(files("xcheck") / "examples" / f"{name}.toml"), backends=["numpy"])
    assert codes(report) == ([CONSTANT_FEATURE] if name == "digits" else [])
    assert report.verified == report.parameters


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_ordinary_network_gives_no_cause(activation: ActivationName) -> None:
    """Two hidden layers of each kind, with the default initialisation and a penalty."""
    hidden = Dense(units=6, activation=activation)
    assert codes(check(problem(hidden, hidden, targets=CLASSES, loss="softmax_cross_entropy", l2=0.7))) == []


def test_a_deep_network_that_is_initialised_well_gives_no_cause() -> None:
    """Twelve layers of 32 relu units with variance 2/n."""
    assert not {"XC410", "XC411"} & set(codes(check(problem(*[Dense(units=32, activation="relu")] * 12))))


def test_a_linear_fit_gives_no_cause_until_it_is_perfect() -> None:
    """At the optimum of least squares the gradient is rounding, and errors are compared with its terms."""
    ones = np.hstack([X, np.ones((20, 1))])
    fitted = np.linalg.lstsq(ones, Y, rcond=None)[0].T
    theta = np.concatenate([fitted[:, :4].ravel(), fitted[:, 4]])
    assert codes(check(problem(theta=theta + 1e-3))) == []
    report = check(problem(theta=theta))
    assert (report.verdict, codes(report), report.verified) == ("AGREE", ["XC433"], 10)
