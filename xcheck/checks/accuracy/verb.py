"""The verb `accuracy`: it reads what is handed over, measures it, and returns a result."""

from collections.abc import Sequence
from typing import Any

from xcheck.backend.contract import Backend
from xcheck.checks.accuracy.accuracy import Accuracy
from xcheck.checks.accuracy.measure import MOST, run_accuracy
from xcheck.checks.prepare import prepare


def accuracy(
    model: Any,
    params: Any = None,
    data: Any = (),
    *,
    backends: Sequence[str | Backend] | None = None,
    most: int = MOST,
    **settings: Any,
) -> Accuracy:
    """Measure gradients in units in the last place (ulp) of their dtype, component by component.

    They are held against slopes with proved bounds along unit directions, and no differences are taken;
    `pip install 'xcheck-grad[proof]'`. A gradient that is exact but for one rounding is off by at most 1/2 ulp. Small
    components whose terms cancel are expected to be off by many of their own ulps, and by few of those of the largest
    component of their tensor: both are shown.

    Args:
        model: as in `xcheck.verify`; an `xcheck.Case`; or functions as in `xcheck.check`.
        params: of functions.
        data: of functions.
        backends: the witnesses; of functions their frameworks or labels.
        most: of more components than these, or than fit the setting `budget`, as many are drawn at random.
        **settings: of `xcheck.verify` or `xcheck.check`.

    Returns:
        Median, 90 %, worst of the errors of each tensor and witness, with the component that is worst, and where digits
        are lost. Components at kinks are left out and counted. It is UNDECIDED where nothing can be proved, and
        DISAGREE where a gradient is proved to be wrong.

    Raises:
        DefinitionError: the model cannot be used.
        BackendError: python-flint, or a framework that was asked for, is not installed.

    >>> import jax.numpy as jnp
    >>> found = accuracy(lambda x: (x**3).sum(), jnp.array([1.0, 2.0]))
    >>> found.witnesses[0].worst, found.witnesses[0].tensors[0].dtype
    (0.0, 'float32')
    """
    return run_accuracy(prepare(model, params, data, backends, settings), most)
