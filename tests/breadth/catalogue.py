"""The catalogue: ordinary functions of three frameworks that a gradient checker has to accept."""

from tests.breadth import (
    jax_algebra,
    jax_functions,
    numpy_functions,
    numpy_models,
    torch_algebra,
    torch_functions,
    torch_losses,
)
from tests.breadth.entry import Entry

COLLECTIONS = [torch_functions, torch_losses, torch_algebra, jax_functions, jax_algebra, numpy_functions, numpy_models]
CATALOGUE: tuple[Entry, ...] = tuple(entry for module in COLLECTIONS for entry in module.COLLECTION.entries)
