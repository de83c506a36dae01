"""The machine-readable report."""

import json

import numpy as np

from tests.checks.networks.test_check import DEFINITION
from xcheck import Dense, Network, Problem, verify


def test_json_has_no_numbers_that_json_cannot_write() -> None:
    """nan and inf become strings; a strict reader reads it."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    report = verify(Problem.create(network, np.ones((3, 2)), np.full((3, 1), 1e200)), backends=["numpy"])

    def refuse(word: str) -> float:
        raise AssertionError(word)

    content = json.loads(report.to_json(), parse_constant=refuse)
    assert content["losses"] == {"numpy": "inf"}
    assert content["exit"] == 3


def test_json_has_the_keys_of_the_schema() -> None:
    """Every key that the schema promises, with its meaning."""
    content = verify(DEFINITION).to_dict()
    assert content["schema"] == 1
    assert (content["verdict"], content["exit"], content["parameters"]) == ("AGREE", 0, 26)
    pair = content["pairs"][0]
    assert set(pair) >= {"a", "b", "verdict", "difference", "band", "wrong", "undecided", "of", "tensors", "worst"}
    assert set(pair["worst"][0]) >= {"name", "index", "flat", "a", "b", "error_bar"}
    assert set(pair["tensors"][0]) >= {"name", "difference", "wrong", "of"}
    assert content["verified"] == 26
    assert set(content["tensors"][0]) >= {"name", "of", "verified", "zero", "below_noise"}
    assert set(content["layers"][0]) >= {"layer", "activation_rms", "gradient_rms", "dead", "saturated"}
    assert set(content["oracle"]) >= {"engine", "scope", "epsilon", "evaluations", "seconds"}
    assert set(content["environment"]) >= {"xcheck", "python", "numpy", "jax", "device"}
