"""Samplers that torch differentiates implicitly: gamma and Dirichlet, and what is drawn from them.

A sample z of a gamma distribution of shape α is found by rejection from random numbers ε: z = h(ε, α). What autograd
gives is −∂F(z; α)/∂α / p(z; α), F the distribution function and p its density. On average over ε that is the derivative
of any expectation; for one ε it is not ∂h/∂α, which differences of a loss with a fixed seed show.

Source: Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from xcheck_torch.graph import nodes_below

Pull = Callable[[Tensor], Tensor]
# Truncation h² and rounding u/h of a central difference are equal at h = ∛u.
_POWER = 1 / 3


class PathSlopes(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Measures ∂h/∂α of each sampler that is called, and puts it in the place of what autograd gives."""

    def __init__(self) -> None:
        super().__init__()
        self._known: list[tuple[Tensor, Pull]] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function; the random numbers of a sampler are drawn again for other α."""
        kwargs = kwargs or {}
        # torch.distributions calls nothing else to draw from a gamma, a beta, a Dirichlet or Student's distribution.
        if function not in (torch._standard_gamma, torch._sample_dirichlet) or args[0].device.type != "cpu":  # noqa: SLF001
            return function(*args, **kwargs)
        generator = kwargs.get("generator") or torch.default_generator
        before = generator.get_state()
        value = function(*args, **kwargs)
        after = generator.get_state()

        def sample(alpha: Tensor) -> Tensor:
            generator.set_state(before)
            return torch.as_tensor(function(alpha, **kwargs))

        with torch.no_grad():
            pull = _along_elements if function is torch._standard_gamma else _along_axis  # noqa: SLF001
            self._known.append((value.detach(), pull(sample, args[0].detach())))
        generator.set_state(after)
        return value

    def put_below(self, value: Tensor) -> None:
        """Let the samplers below a tensor have the slopes that were measured, as soon as it is differentiated."""
        for node in nodes_below(value):
            pull = self._pull_of(node)
            if pull is not None:
                node.register_hook(lambda found, arriving, pull=pull: (pull(arriving[0]), *found[1:]))

    @property
    def met(self) -> bool:
        """Whether a sampler was called."""
        return bool(self._known)

    def _pull_of(self, node: Any) -> Pull | None:
        if node.name() == "StandardGammaBackward0":
            result = node._saved_result  # noqa: SLF001 - torch's name for it
        elif node.name() == "_DirichletBackward":  # of torch.distributions.dirichlet
            result = node.saved_tensors[0]
        else:
            return None
        return next((pull for known, pull in self._known if torch.equal(known, result)), None)


def _along_elements(sample: Pull, alpha: Tensor) -> Pull:
    """Return v ↦ v ∂h/∂α of a sampler whose elements are drawn one by one."""
    step = _step(alpha)
    slope = (sample(alpha + step) - sample(alpha - step)) / (2 * step)
    return lambda arriving: arriving * slope


def _along_axis(sample: Pull, alpha: Tensor) -> Pull:
    """Return v ↦ vᵀ ∂h/∂α of a sampler whose elements along the last axis depend on each other."""
    slopes = []
    for place in range(alpha.shape[-1]):
        step = torch.zeros_like(alpha)
        step[..., place] = _step(alpha)[..., place]
        slopes.append((sample(alpha + step) - sample(alpha - step)) / (2 * step[..., place, None]))
    return lambda arriving: torch.stack([(arriving * slope).sum(-1) for slope in slopes], dim=-1)


def _step(alpha: Tensor) -> Tensor:
    return torch.as_tensor(alpha * torch.finfo(alpha.dtype).eps ** _POWER)
