"""Operations of torch in the words of `xcheck.trace`.

Some have the same meaning, some only move elements, and the others are put together of several, as their kernels
compute them. What an operation means is written in torch's documentation, and in aten/src/ATen/native.
"""

from importlib import import_module
from pkgutil import iter_modules

from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import LOWERINGS, Call, lower, lowering_of

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["LOWERINGS", "Builder", "Call", "lower", "lowering_of"]
