"""The worked examples: the right versions agree, of the buggy ones the right tensors are named, the page shows both."""

import subprocess
import sys

import pytest

from tests.steady import steady
from tests.worked_examples import PAGE, TITLES, buggy, module, page
from xcheck.checks.case import is_case
from xcheck.compare.pair import ORACLE
from xcheck.findings import LOSSES_PART

# Who is wrong, and in which tensors.
MISTAKES = {
    "custom_autograd_function": ("torch", {"x"}),
    "custom_vjp": ("jax", {"W", "b"}),
    "numpy_beside_jax": ("numpy", {"K"}),
    "complex_parameters": ("numpy", {"H.imag"}),
    "batch_norm_layer": ("numpy", {"x"}),
}


@pytest.mark.parametrize("name", TITLES)
def test_the_right_version_agrees(name: str) -> None:
    """Every component is verified, and nothing is left out."""
    report = module(name).right().check()
    assert report.verdict == "AGREE", str(report)
    assert report.verified == report.components


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_named(name: str) -> None:
    """The one who is wrong, and the tensors that are; nobody and nothing else."""
    who, tensors = MISTAKES[name]
    report = buggy(name)
    wrong = {
        pair.a: {tensor.name for tensor in pair.tensors if tensor.wrong} for pair in report.pairs if pair.b == ORACLE
    }
    assert report.verdict == "DISAGREE"
    assert {label: names for label, names in wrong.items() if names} == {who: tensors}
    assert report.headline.startswith(f"{who} disagrees: ")


def test_the_losses_of_the_port_differ_in_the_biases() -> None:
    """No gradient is blamed where the functions are not the same; the parameters that make the difference are named."""
    report = buggy("port_torch_to_jax")
    (parting,) = [finding.text for finding in report.findings if finding.code == LOSSES_PART]
    assert report.verdict == "DISAGREE"
    assert not any(pair.wrong for pair in report.pairs)
    assert "moving conv.bias and fc.bias changes them differently" in parting
    assert "conv.weight" not in parting


def test_the_column_of_the_frequency_is_wrong() -> None:
    """All that is wrong of the Jacobian lies in it; at t = 1 even that is right."""
    report = buggy("least_squares_jacobian")
    assert report.verdict == "DISAGREE"
    assert {str(component.location).split()[1] for component in report.pairs[0].worst} == {"x[2]"}
    assert report.pairs[0].wrong == 11


def test_only_the_second_derivative_is_wrong() -> None:
    """The gradient agrees; Hessian-vector products do not."""
    report = buggy("second_order")
    verdicts = {pair.a: pair.verdict for pair in report.pairs}
    assert verdicts == {"torch": "AGREE", "torch, second order": "DISAGREE"}
    assert report.verdict == "DISAGREE"


@pytest.mark.parametrize("name", TITLES)
def test_the_command_line_finds_both_cases(name: str) -> None:
    """`right` and `buggy` are marked, and nothing else is."""
    assert {key for key, value in vars(module(name)).items() if is_case(value)} == {"right", "buggy"}


@pytest.mark.parametrize("name", ["custom_vjp", "numpy_beside_jax"])
def test_torch_is_imported_only_where_it_is_used(name: str) -> None:
    """An example of NumPy and JAX is checked without it."""
    code = f"import sys, xcheck.examples.{name} as m; print(m.right().check().verdict, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["AGREE", "False"]


def test_the_page_is_real() -> None:
    """docs/worked-examples.md is what `python -m tests.worked_examples` would write."""
    assert steady(PAGE.read_text()) == steady(page())
