"""torch: linear algebra, indexing, in-place operations and control flow."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tests.breadth.entry import Collection, Draw, Params, integers, normal, square, uniform
from tests.breadth.torch_functions import weigh

COLLECTION = Collection("torch")
add = COLLECTION.add


def symmetric(A: Any) -> Any:
    """Return A + Aᵀ: what reads one triangle only has a gradient for both by convention."""
    return A + A.mT


def positive(A: Any) -> Any:
    """Return A Aᵀ + I."""
    return A @ A.mT + torch.eye(A.shape[-1], dtype=A.dtype)


MATRICES: dict[str, Callable[[Any], Any]] = {
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "slogdet": lambda A: torch.linalg.slogdet(A)[1],
    "cholesky": lambda A: torch.linalg.cholesky(positive(A)),
    "cholesky_inverse": lambda A: torch.cholesky_inverse(torch.linalg.cholesky(positive(A))),
    "eigvalsh": lambda A: torch.linalg.eigvalsh(symmetric(A)),
    "svdvals": torch.linalg.svdvals,
    "qr": lambda A: torch.linalg.qr(A)[1],
    "lu": lambda A: torch.linalg.lu(A)[2],
    "matrix_exp": lambda A: torch.linalg.matrix_exp(A / 3),
    "matrix_power": lambda A: torch.linalg.matrix_power(A / 3, 3),
    "nuclear_norm": lambda A: torch.linalg.norm(A, "nuc"),
    "spectral_norm": lambda A: torch.linalg.norm(A, 2),
    "frobenius_norm": torch.linalg.norm,
    "kron": lambda A: torch.kron(A, A.mT.contiguous()),
    "cumsum": lambda A: A.cumsum(1).tanh(),
    "cumprod": lambda A: A.cumprod(0),
    "logcumsumexp": lambda A: A.logcumsumexp(1),
    "logsumexp": lambda A: A.logsumexp(1),
    "prod": lambda A: A.prod(1),
    "std": lambda A: A.std(1),
    "amax": lambda A: A.amax(1),
    "median": lambda A: A.median(1).values,
    "sort": lambda A: A.sort(1).values.cumsum(1),
    "topk": lambda A: A.topk(2).values.square(),
    "clamp": lambda A: A.clamp(-0.2, 2.9),
    "roll_tril": lambda A: A.roll(1, 0).tril().sin(),
    "rfft": lambda A: torch.fft.rfft(A).abs().square(),
    "irfft": lambda A: torch.fft.irfft(torch.fft.rfft(A) * torch.fft.rfft(A.roll(1, 0)), n=4),
    "lgamma": lambda A: torch.lgamma(A.square() + 0.5),
    "atan2": lambda A: torch.atan2(A, 1 + A.mT.square()),
    "pdist": torch.pdist,
}


def of_matrix(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of a function of one square matrix."""
    return lambda p: weigh(function(p["A"]))


for _name, _function in MATRICES.items():
    COLLECTION.put(_name, of_matrix(_function), {"A": square(4)})

VECTOR: dict[str, Draw] = {"A": square(4), "b": normal(4)}


@add(VECTOR)
def solve(p: Params) -> Any:
    """A x = b."""
    return weigh(torch.linalg.solve(p["A"], p["b"]))


@add(VECTOR)
def solve_triangular(p: Params) -> Any:
    """The lower triangle of A only."""
    return weigh(torch.linalg.solve_triangular(p["A"].tril(), p["b"][:, None], upper=False))


@add({"A": normal(6, 3), "b": normal(6, 2)})
def lstsq(p: Params) -> Any:
    """Least squares of six equations."""
    return weigh(torch.linalg.lstsq(p["A"], p["b"]).solution)


@add({"A": normal(5, 3)})
def pinv(p: Params) -> Any:
    """A rectangular matrix."""
    return weigh(torch.linalg.pinv(p["A"]))


@add({"A": normal(2, 3, 4), "B": normal(2, 4, 3)})
def einsum(p: Params) -> Any:
    """A batch of products, one of them transposed."""
    return weigh(torch.einsum("bij,bjk,bil->bkl", p["A"], p["B"], p["A"]))


@add({"A": normal(4, 5)}, integers(5, 4, 3))
def gather(p: Params, index: Any) -> Any:
    """Some entries of each row, some of them twice."""
    return weigh(p["A"].gather(1, index).exp())


@add({"A": normal(6, 2), "base": normal(3, 2)}, integers(3, 6, 2))
def scatter_add(p: Params, index: Any) -> Any:
    """Sums into bins."""
    return weigh(p["base"].scatter_add(0, index, p["A"]).tanh())


@add({"A": normal(5, 3)}, integers(5, 4))
def index_select(p: Params, index: Any) -> Any:
    """Rows, some of them twice."""
    return weigh(p["A"].index_select(0, index).square())


@add({"a": normal(5, 3), "b": normal(4, 3)})
def cdist(p: Params) -> Any:
    """Distances between two sets of points."""
    return weigh(torch.cdist(p["a"], p["b"]))


@add({"a": normal(6), "b": normal(6)}, normal(6))
def where(p: Params, x: Any) -> Any:
    """A branch for each element, decided by data."""
    return weigh(torch.where(x > 0, p["a"].exp(), p["a"] * p["b"]))


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def in_place(p: Params, x: Any) -> Any:
    """Intermediate results are overwritten."""
    z = x @ p["W"].T
    z += p["b"]
    z[0] *= 2.0
    z[:, 1:3].mul_(0.5).sub_(0.1)
    return weigh(z.tanh_())


@add({"W": normal(4, 3)}, normal(5, 3))
def masked_fill_in_place(p: Params, x: Any) -> Any:
    """A mask computed from the values."""
    z = (x @ p["W"].T).exp() * 2.0
    z.masked_fill_(z > 3.0, 3.0)
    return weigh(z)


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def filled_buffer(p: Params, x: Any) -> Any:
    """Results are written into a tensor of zeros."""
    z = torch.zeros(5, 4, dtype=x.dtype)
    for number, row in enumerate(x):
        z[number] = (p["W"] @ row + p["b"]).tanh()
    return weigh(z)


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def boolean_mask(p: Params, x: Any) -> Any:
    """As many numbers as are positive."""
    z = x @ p["W"].T + p["b"]
    return z[z > 0].square().sum() / 20 + z.sin().mean()


@add({"w": normal(4), "v": normal(4)}, normal(4))
def branch_on_value(p: Params, x: Any) -> Any:
    """Python's `if` on a value: either branch is smooth."""
    score = p["w"] @ x
    if score > 0:
        return weigh(p["v"] * score)
    return weigh(p["v"].sin() - score)


@add({"w": uniform(1.1, 1.4, 4)})
def loop_on_value(p: Params) -> Any:
    """As many steps as the values want."""
    z = p["w"]
    while z.norm() < 6.0:
        z = z * p["w"] + 0.1
    return weigh(z)


@add({"W": normal(3, 3, scale=0.5), "b": normal(3)}, normal(3))
def fixed_point(p: Params, x: Any) -> Any:
    """Six steps of one recurrence."""
    z = x
    for _ in range(6):
        z = torch.tanh(p["W"] @ z + p["b"])
    return weigh(z)


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def item_as_a_scale(p: Params, x: Any) -> Any:
    """A number read out with `.item()`, of the data only."""
    return weigh((x @ p["W"].T + p["b"]).tanh()) / (1.0 + x.abs().max().item())


class Cube(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """z³, in the old style: no `setup_context`, so `torch.func` can't transform it."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        """Return z³."""
        ctx.save_for_backward(z)
        return z**3

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Return 3 z² times what comes from above."""
        (z,) = ctx.saved_tensors
        return 3 * z**2 * upstream


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def autograd_function(p: Params, x: Any) -> Any:
    """A right backward pass written by hand."""
    return weigh(Cube.apply(x @ p["W"].T + p["b"]))


@add({"w": normal(5)})
def numpy_window(p: Params) -> Any:
    """A window that NumPy computes."""
    return weigh(p["w"].exp() * torch.from_numpy(np.hanning(7)[1:-1]))


@add({"A": normal(3, 4)}, array_valued=True)
def row_norms_array(p: Params) -> Any:
    """One norm for each row, returned."""
    return p["A"].norm(dim=1)
