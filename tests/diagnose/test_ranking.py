"""Which of several explanations is believed, and what is said of the others."""

import numpy as np

from tests.diagnose.rules.conftest import V, W, evidence_of
from xcheck.diagnose import explain_residual


def test_one_cause_for_two_tensors_is_believed_before_two_causes() -> None:
    """Both tensors doubled are one finding; what a second cause explains is another."""
    evidence = evidence_of({"V": 2 * V, "W": 2 * W, "U": W.T.copy()}, {"V": V, "W": W, "U": W})
    assert [finding.text for finding in explain_residual(evidence)] == [
        "numpy: V, W: 2 x what it should be",
        "numpy: U: transposed",
    ]


def test_other_explanations_are_named() -> None:
    """B is the transpose of A: the gradient of A is transposed, or that of B stands there."""
    trusted = {"A": W, "B": W.T.copy()}
    (finding,) = explain_residual(evidence_of({"A": W.T.copy(), "B": W.T.copy()}, trusted))
    assert finding.code == "XC221"
    assert finding.text == "numpy: A: transposed; explained equally well by XC223 (the gradient of B stands here)"


def test_of_many_tensors_the_first_are_named() -> None:
    """And how many more there are."""
    trusted = {f"w{number}": (number + 1) * W for number in range(10)}
    (finding,) = explain_residual(evidence_of({name: -array for name, array in trusted.items()}, trusted))
    assert finding.text.startswith("numpy: w0, w1, w2, w3, w4, w5, w6, w7 and 2 more: the opposite sign")


def test_what_no_rule_explains_is_unknown() -> None:
    """With the names of the tensors that are left."""
    gradient = {"V": 2 * V, "W": W * np.exp(W)}
    codes = {finding.code: finding.text for finding in explain_residual(evidence_of(gradient, {"V": V, "W": W}))}
    assert codes["XC200"] == "numpy: no known mistake explains the error in W"
    assert set(codes) == {"XC200", "XC201"}
