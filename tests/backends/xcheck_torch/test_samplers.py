"""Samplers that torch differentiates implicitly: named as the cause, if they are all of it."""

from collections.abc import Callable

import pytest
import torch
from torch.distributions import Beta, Chi2, Dirichlet, Gamma, Normal, StudentT

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Report, Verdict

ALPHA = torch.tensor([1.5, 2.5, 0.7], dtype=torch.float64)
Loss = Callable[[torch.Tensor], torch.Tensor]


def checked(loss: Loss, alpha: torch.Tensor = ALPHA) -> Report:
    """The report on a loss that draws the same random numbers in every call."""

    def seeded(alpha: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return loss(alpha)

    return xcheck.check(seeded, alpha)


@pytest.mark.parametrize(
    "loss",
    [
        lambda a: torch._standard_gamma(a).sum(),  # noqa: SLF001 - what torch.distributions calls
        lambda a: (Gamma(a[:2], a[2]).rsample((3,)) ** 2).sum(),
        lambda a: Beta(a[0], a[1:]).rsample((3,)).sum(),
        lambda a: (Dirichlet(a).rsample((3,))[:, 0] ** 2).sum(),
        lambda a: (StudentT(a + 2).rsample() ** 2).sum(),
        lambda a: torch.log(Chi2(a).rsample()).sum(),
    ],
    ids=["standard gamma", "gamma", "beta", "dirichlet", "student", "chi square"],
)
def test_implicit_reparametrisation_is_named(loss: Loss) -> None:
    """The gradient is not that of the loss with these random numbers, and nothing else is wrong with it."""
    report = checked(loss)
    assert report.verdict is Verdict.DISAGREE
    assert codes(report) == {"XC281"}


def test_in_float32_too() -> None:
    """Other random numbers, and shorter differences."""
    report = checked(lambda a: (Gamma(a, 1.0).rsample((3,)) ** 2).sum(), ALPHA[:2].float())
    assert (report.verdict, codes(report)) == ("DISAGREE", {"XC281"})


def test_where_the_path_is_smooth_nothing_is_said() -> None:
    """With respect to a scale, and for a normal distribution, the gradient is that of the path."""
    assert checked(lambda b: (Gamma(ALPHA, b).rsample((3,)) ** 2).sum()).verdict is Verdict.AGREE
    assert checked(lambda b: (Normal(b, b).rsample((3,)) ** 2).sum()).verdict is Verdict.AGREE


def test_a_mistake_beside_a_sample_is_not_put_down_to_it() -> None:
    """A test of the tester: a term of the loss has no gradient."""
    report = checked(lambda a: Gamma(a, 1.0).rsample().sum() + 1e-3 * (a**2).detach().sum())
    assert report.verdict is Verdict.DISAGREE
    assert "XC281" not in codes(report)


def test_a_mistake_in_another_tensor_is_named_by_itself() -> None:
    """The tensor that is sampled with has its cause, and so has the other one."""

    def loss(p: dict[str, torch.Tensor]) -> torch.Tensor:
        torch.manual_seed(0)
        return Gamma(p["a"], 1.0).rsample().sum() + (p["b"].detach() * p["b"]).sum()

    report = xcheck.check(loss, {"a": ALPHA, "b": ALPHA + 1})
    assert codes(report) == {"XC281", "XC201"}


def test_the_random_numbers_of_the_caller_stay() -> None:
    """What is drawn again for the diagnosis is not drawn from them."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    xcheck.check(
        lambda a: torch._standard_gamma(a, generator=generator.set_state(state)).sum(),  # noqa: SLF001 - see above
        ALPHA,
    )
    assert torch.equal(torch.rand(3), expected)
