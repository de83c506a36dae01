"""Options of embeddings that change a gradient by design: `padding_idx` and `scale_grad_by_freq`.

An embedding y of a weight W and indices k has yₚ = W[kₚ], so that ∂L/∂W[k] = Σ ∂L/∂yₚ over all p with kₚ = k.

- `padding_idx=j` leaves all terms with kₚ = j out of the sum: row j is not trained, although L may depend on it.
- `scale_grad_by_freq=True` divides the sum by the number of its terms.

Both are undone in the graph, wherever the gradient goes from there, so that what is checked is the gradient of L with
every mistake in it. Bags (`embedding_bag`) leave the row j out of their values, too: their gradient is that of L.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from xcheck_torch.graph import nodes_below

# How torch writes "no padding_idx": −1 as an unsigned number.
_NONE = 2**64 - 1
_NODES = ("EmbeddingBackward0", "EmbeddingBagBackward0")


def changed_nodes(value: Tensor) -> list[Any]:
    """Return the nodes below a tensor that are embeddings whose options change their gradient."""
    embeddings = [node for node in nodes_below(value) if node.name() in _NODES]
    return [node for node in embeddings if _padding(node) is not None or _scaled(node)]


def _padding(node: Any) -> int | None:
    index = node._saved_padding_idx if node.name() == _NODES[0] else _NONE  # noqa: SLF001 - torch's name for it
    return None if index in (_NONE, -1) else int(index)


def _scaled(node: Any) -> bool:
    return bool(node._saved_scale_grad_by_freq)  # noqa: SLF001 - torch's name for it


class UndoneOptions:
    """Undoes the options of embeddings, as soon as what was computed from them is differentiated.

    Attributes:
        notes: what was undone, for those embeddings where that has changed the gradient.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self.notes: set[str] = set()
        self._parameters = parameters

    def undo_below(self, value: Tensor) -> None:
        """Undo the options of all embeddings below a tensor that is going to be differentiated."""
        for node in changed_nodes(value):
            node.register_hook(lambda found, arriving, node=node: self._undo(node, found, arriving))

    def _undo(
        self, node: Any, found: Sequence[Tensor | None], arriving: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...] | None:
        """Return the gradient of an embedding without its options, from what it is with them, and what arrived."""
        gradient, cotangent = found[0], arriving[0]
        if gradient is None or cotangent is None:
            return None
        name, padding = _weight_of(node, self._parameters), _padding(node)
        indices = node._saved_indices  # noqa: SLF001 - torch's name for them
        whole = gradient
        if _scaled(node):
            whole = whole * _counts(indices, gradient)
            if not torch.equal(_dense(whole), _dense(gradient)):
                self.notes.add(
                    f"scale_grad_by_freq=True divides each row of the gradient of {name} by the number of its lookups"
                )
        if padding is not None:
            row = cotangent[indices == padding].sum(0)
            whole = whole + _one_row(padding, row, gradient)
            if row.any():
                self.notes.add(
                    f"padding_idx={padding} leaves the lookups of {name}[{padding}] out of its gradient, although the "
                    "loss depends on them (a mask takes them out of the loss, padding_idx=None trains the row)"
                )
        return (whole, *found[1:])


def _weight_of(node: Any, parameters: Mapping[str, Tensor]) -> str:
    """Return the name of an embedding's weight."""
    leaf = getattr(node.next_functions[0][0], "variable", None)
    return next((name for name, tensor in parameters.items() if tensor is leaf), "a weight")


def _counts(indices: Tensor, gradient: Tensor) -> Tensor:
    """Return how often each row is looked up, at least 1, shape (rows, 1)."""
    counts = torch.bincount(indices.reshape(-1), minlength=gradient.shape[0])
    return counts.clamp(min=1).to(gradient.dtype)[:, None]


def _one_row(index: int, row: Tensor, like: Tensor) -> Tensor:
    """Return zeros but for one row, dense or sparse like a gradient."""
    place = torch.tensor([[index]], device=row.device)
    if like.is_sparse:
        return torch.sparse_coo_tensor(place, row[None], tuple(like.shape), check_invariants=False)
    return torch.zeros_like(like).index_copy(0, place[0], row[None])


def _dense(gradient: Tensor) -> Tensor:
    return gradient.to_dense() if gradient.is_sparse else gradient
