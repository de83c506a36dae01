"""Reports as people see them, at fixed widths, against golden files.

After a change that is meant: `python -m tests.report.test_text` writes the golden files anew; read the difference.
"""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from xcheck.caveats.layers import LayerState
from xcheck.checks.report import OracleSummary, Report
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.pair import Component, Pair, TensorComparison
from xcheck.findings import Finding
from xcheck.layout import Location
from xcheck.report.text import print_line, render
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "golden"


def pair(a: str, b: str, difference: float = 3.1e-13, wrong: int = 0, undecided: int = 0) -> Pair:
    """A pair with W1 and b1, of which `wrong` components of W1 are wrong."""
    verdict = Verdict.DISAGREE if wrong else Verdict.UNDECIDED if undecided else Verdict.AGREE
    worst = tuple(
        Component(
            location=Location("W1", (3, column), 90 + column),
            a=1.0673 / (column + 1),
            b=0.71153333 / (column + 1),
            error_bar=3e-13,
            lower=0.0 if column == 2 else 0.71153333 / (column + 1),
            upper=0.71153333 / (column + 1),
            excess=0.35576667 / (column + 1),
            allowed=7.1e-8,
        )
        for column in range(min(wrong, 3))
    )
    tightest = Component(
        location=Location("b1", (7,), 487),
        a=0.0123456789,
        b=0.0123456792,
        error_bar=3e-13,
        lower=0.0123456792,
        upper=0.0123456792,
        excess=3e-10,
        allowed=1.2e-9,
    )
    return Pair(
        a=a,
        b=b,
        verdict=verdict,
        losses=(0.886964846153, 0.886964846153),
        losses_agree=True,
        spread=0.0,
        difference=difference,
        wrong=wrong,
        undecided=undecided,
        of=496,
        tensors=(
            TensorComparison(name="W1", difference=difference, wrong=wrong, undecided=0, of=480),
            TensorComparison(name="b1", difference=2.2e-13, wrong=0, undecided=undecided, of=16),
        ),
        apart=1.2e12 if wrong else 0.31,
        worst=worst or (tightest,),
    )


def proofs(zero_of_b1: int = 0) -> tuple[TensorCoverage, ...]:
    """All of W1 is verified, and so is b1 but for some components that nothing depends on."""
    return (
        TensorCoverage(name="W1", of=480, verified=480, zero=0, below_noise=False),
        TensorCoverage(name="b1", of=16, verified=16 - zero_of_b1, zero=zero_of_b1, below_noise=False),
    )


LAYERS = (
    LayerState(
        number=1,
        units=16,
        activation="relu",
        activation_rms=1.07,
        gradient_rms=0.0712,
        gain=1.98,
        dead=(3, 11),
        saturated=(),
    ),
    LayerState(
        number=2,
        units=1,
        activation="identity",
        activation_rms=0.415,
        gradient_rms=0.462,
        gain=0.87,
        dead=(),
        saturated=(0,),
    ),
)


def report(verdict: Verdict, pairs: tuple[Pair, ...]) -> Report:
    """A report about breast_cancer.toml with these pairs."""
    return Report(
        model="breast_cancer.toml",
        summary="496 parameters, 64 examples, 30-16-1, relu, binary_cross_entropy, l2 0.7, dropout pinned",
        verdict=verdict,
        parameters=496,
        seed=0,
        losses={"numpy": 0.886964846153, "torch": 0.886964846153},
        pairs=pairs,
        odd_one_out=(),
        consensus="",
        starts={},
        findings=(),
        warnings=(),
        tensors=proofs(),
        layers=LAYERS,
        oracle=OracleSummary(
            engine="batched",
            predicted={"batched": 0.1, "structured": 0.01},
            budget=10.0,
            audits=(),
            referred=0,
            refereed=0,
            scope="all",
            difference="central",
            epsilon=3.1e-4,
            evaluations=3426,
            seconds=0.94,
            compile_seconds=0.71,
            loss=0.886964846153,
            widest_bar=8.0e-13,
            ties=0,
        ),
        dtype="float64",
        tolerance=1e-7,
        resolution=4.6e-12,
        seconds={"numpy": 0.002, "torch": 1.7},
        environment={"xcheck": "0.1.0", "python": "3.11.7", "numpy": "2.4.6", "torch": "2.13.0", "jax": "0.10.2"},
        command=("python", "-m", "xcheck", "breast_cancer.toml"),
    )


PASSING = report(
    Verdict.AGREE, (pair("numpy", "oracle"), pair("torch", "oracle", 3.2e-13), pair("numpy", "torch", 8.5e-17))
)
FAILING = replace(
    report(
        Verdict.DISAGREE,
        (pair("numpy", "oracle", 0.13, wrong=48), pair("torch", "oracle"), pair("numpy", "torch", 0.13, wrong=48)),
    ),
    odd_one_out=("numpy",),
    consensus="numpy, 1e+12 error bars off; torch agrees with the oracle, within 0.3 error bars",
    starts={
        "numpy": (
            "in W1 alone: the product δᵀ a, or the penalty; everything else is right, and so is the δ that is passed "
            "down"
        )
    },
    findings=(Finding(code="XC201", tensor="W1", value=1.5, text="numpy: W1: 1.5 x what it should be"),),
)
UNDECIDED = replace(
    report(Verdict.UNDECIDED, (pair("numpy", "oracle", undecided=16), pair("torch", "oracle", undecided=16))),
    warnings=(
        Finding(
            code="XC405",
            tensor="b1",
            text="16 of 496 components cannot be decided (16 of 16 in b1): too small beside the noise of the loss or "
            "rounding, or at a kink, with a slope that no convention gives",
            value=16.0,
        ),
    ),
)
ERROR = replace(
    report(Verdict.ERROR, (pair("numpy", "oracle"),)),
    findings=(Finding(code="XC104", text="torch: PyTorch is not installed; to install it: pip install torch"),),
    losses={"numpy": 0.886964846153},
)
NOISY = TensorCoverage(name="W1", of=480, verified=0, zero=0, below_noise=True)
IDLE = TensorCoverage(name="b1", of=16, verified=0, zero=16, below_noise=False)
PARTIAL = replace(
    PASSING,
    tensors=proofs(2),
    warnings=(
        Finding(
            code="XC406",
            text="dead units: 2 of 16 in layer 1 (3, 11): no gradient passes through them in all 64 examples (relu of "
            "z ≤ 0, or dropped), so a mistake there does not show; more examples, or another θ, may wake them",
            value=2.0,
        ),
    ),
)
REPORTS = {"passing": PASSING, "partial": PARTIAL, "failing": FAILING, "undecided": UNDECIDED, "error": ERROR}
CASES = [(name, width, name == "partial") for name in REPORTS for width in (80, 40)]


def golden(name: str, width: int) -> Path:
    """The file that holds what is expected."""
    return GOLDEN / f"{name}_{width}.txt"


@pytest.mark.parametrize(("name", "width", "verbose"), CASES)
def test_reports_look_as_they_did(name: str, width: int, verbose: bool) -> None:
    """Passing, in part or whole, failing, undecided and error, at 80 and at 40 columns."""
    assert render(REPORTS[name], width=width, verbose=verbose) + "\n" == golden(name, width).read_text()


@pytest.mark.parametrize("width", [30, 40, 80, 200])
@pytest.mark.parametrize("name", REPORTS)
def test_every_line_fits(name: str, width: int) -> None:
    """Except the command, which must stay in one piece to be copied."""
    lines = render(REPORTS[name], width=width).splitlines()
    assert max(len(line) for line in lines if "again:" not in line and "next:" not in line) <= width


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("passing", "numpy, torch agree with the oracle on all 496 parameters"),
        ("partial", "numpy, torch agree with the oracle on 494 of 496 parameters; no loss depends on the other 2"),
        ("failing", "numpy disagrees: W1[3, 0] is 1.5 x the oracle (48 of 496 wrong)"),
        ("undecided", "numpy is undecided: 16 of 496 components could not be decided"),
        ("error", "torch: PyTorch is not installed; to install it: pip install torch"),
    ],
)
def test_the_first_sentence_stands_alone(name: str, headline: str) -> None:
    """Who, where, by how much."""
    assert REPORTS[name].headline == headline


@pytest.mark.parametrize(
    ("tensors", "extent"),
    [
        (proofs(1), " on 495 of 496 parameters; no loss depends on the other one"),
        (proofs(3), " on 493 of 496 parameters; no loss depends on the other 3"),
        (proofs(16), " on 480 of 496 parameters; b1 proves nothing: its gradient is zero"),
        ((NOISY, proofs()[1]), " on 16 of 496 parameters; W1 proves nothing: its gradient is below the noise"),
        ((NOISY, IDLE), ", which proves nothing: the whole gradient is zero or below the noise"),
    ],
)
def test_a_passing_headline_says_what_is_not_verified(tensors: tuple[TensorCoverage, ...], extent: str) -> None:
    """A check that proves nothing about a tensor is not a plain AGREE."""
    passing = replace(PASSING, tensors=tensors)
    assert passing.headline == f"numpy, torch agree with the oracle{extent}"
    assert passing.to_dict()["verified"] == passing.verified == sum(tensor.verified for tensor in tensors)


@pytest.mark.parametrize(("tensors", "colour"), [(proofs(), "32"), (proofs(2), "32"), (proofs(16), "33")])
def test_agree_is_yellow_where_a_tensor_proves_nothing(tensors: tuple[TensorCoverage, ...], colour: str) -> None:
    """Green is for what is verified, but for a component here and there."""
    stream = io.StringIO()
    print_line(replace(PASSING, tensors=tensors), Console(file=stream, force_terminal=True, color_system="standard"))
    assert stream.getvalue().startswith(f"\x1b[1;{colour}mAGREE")


def test_several_idle_tensors_are_all_named() -> None:
    """In the plural."""
    other = TensorCoverage(name="W2", of=8, verified=8, zero=0, below_noise=False)
    idle = replace(IDLE, name="W1", of=488, zero=488)
    passing = replace(PASSING, parameters=512, tensors=(idle, IDLE, other))
    assert passing.headline.endswith("on 8 of 512 parameters; W1, b1 prove nothing: their gradients are zero")


def test_str_is_the_terminal_report() -> None:
    """print(report) is what the command line prints."""
    assert str(FAILING) == render(FAILING)


def test_a_headline_is_one_line() -> None:
    """Where a framework's exception has several, the finding has the rest."""
    failed = Finding(code="XC104", text="torch: RuntimeError: no\nbecause of this\nand that")
    assert replace(ERROR, findings=(failed,)).headline == "torch: RuntimeError: no"


def test_square_brackets_are_no_markup() -> None:
    """Labels and parameters are called what people call them."""
    against = pair("mine [red]", "oracle", wrong=1)
    words = render(replace(FAILING, losses={"mine [red]": 0.5, "[/]": 0.25}, pairs=(against,)), verbose=True).split()
    assert " mine [red] 0.5 [/] 0.25 oracle" in " ".join(words)
    assert "component mine [red] oracle" in " ".join(words)


def test_functions_have_no_layers() -> None:
    """Without layers there is no table of them."""
    assert "layers" not in render(replace(PASSING, layers=()), verbose=True)


def test_repr_is_short() -> None:
    """What pytest shows of a failing `assert report`."""
    assert repr(FAILING) == f"<Report DISAGREE breast_cancer.toml: {FAILING.headline}>"


def test_json_of_a_failing_report() -> None:
    """The same facts for machines."""
    content = json.loads(FAILING.to_json())
    assert content["odd_one_out"] == ["numpy"]
    assert content["pairs"][0]["worst"][0] == {
        "name": "W1",
        "index": [3, 0],
        "flat": 90,
        "a": 1.0673,
        "b": 0.71153333,
        "error_bar": 3e-13,
        "lower": 0.71153333,
        "upper": 0.71153333,
        "excess": 0.35576667,
        "allowed": 7.1e-8,
    }


def test_json_tells_layers_and_what_is_verified() -> None:
    """In numbers: how many units are dead and saturated, how many components verified."""
    content = json.loads(PARTIAL.to_json())
    assert content["layers"][0] == {
        "layer": 1,
        "units": 16,
        "activation": "relu",
        "activation_rms": 1.07,
        "gradient_rms": 0.0712,
        "gain": 1.98,
        "dead": 2,
        "saturated": 0,
    }
    assert content["verified"] == 494
    assert content["tensors"][1] == {"name": "b1", "of": 16, "verified": 14, "zero": 2, "below_noise": False}


def test_the_tightest_component_at_a_kink_is_compared_with_an_interval() -> None:
    """`oracle 0, off by 1e-12` would contradict a witness that says 1."""
    tightest = replace(PASSING.pairs[0].worst[0], a=1.0, b=0.0, lower=-1.0, upper=1.0, error_bar=4e-12, excess=1e-12)
    pairs = tuple(replace(pair, worst=(tightest,)) for pair in PASSING.pairs)
    assert "numpy 1, oracle [-1, 1] ± 4e-12, off by 1e-12" in " ".join(render(replace(PASSING, pairs=pairs)).split())


if __name__ == "__main__":
    for name, width, verbose in CASES:
        golden(name, width).write_text(render(REPORTS[name], width=width, verbose=verbose) + "\n")
