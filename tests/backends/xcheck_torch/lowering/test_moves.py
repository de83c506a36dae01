"""Moves, and sums of what is moved to one place."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, made, randn

ZEROS = torch.zeros(5, 4, dtype=torch.float64)
ROWS = torch.tensor([1, 1, 3])
PLACES = torch.tensor([[0, 0, 2, 2], [1, 1, 1, 0], [0, 1, 0, 2]])

MOVES: dict[str, Callable[[Any], Any]] = {
    "cat": lambda x: torch.cat([x, x.t().reshape(3, 4)], 1).flip(0).roll(1, 1),
    "stack": lambda x: torch.stack([x, x * 2]).permute(2, 0, 1).expand(4, 2, 3),
    "views": lambda x: x.unfold(1, 3, 2)[:, 0] @ x.split([1, 3], 1)[1] + x.chunk(2, 1)[1].narrow(1, 0, 1),
    "unbind": lambda x: torch.stack(list(x.unbind(1)), 1).select(1, 2) * x.squeeze().unsqueeze(0)[0, :, 1],
    "pad": lambda x: F.pad(x, (1, 2), value=0.7) * F.pad(x, (1, 2)),
    "pads": lambda x: F.pad(x[None], (1, 2), mode="reflect") * F.pad(x[None], (1, 2), mode="circular"),
    "replicate": lambda x: F.pad(x[None], (1, 2), mode="replicate"),
    "triangles": lambda x: x.tril(1) * 2 + x.triu() + torch.diag_embed(x[0])[:3] + x.diagonal().sum(),
    "repeat": lambda x: x.repeat(2, 2)[::2, 3] * torch.rot90(x)[0, 0] + x.tile(2).movedim(0, 1)[0, 0],
    "interleave": lambda x: torch.repeat_interleave(x, 2, dim=0) * torch.repeat_interleave(x, 2, dim=0).flip(1),
    "gather": lambda x: x.gather(1, PLACES[:, :2]) * torch.take(x, torch.tensor([[1, 2]])),
    "index": lambda x: x[ROWS - 1, 1:] * x[:, [1, 1, 2]],
    "mask": lambda x: x[x > 0].sum() * x.masked_select(PLACES == 0).sum(),
    "index_select": lambda x: x.index_select(1, torch.tensor([0, 0, 2])),
    "embedding": lambda x: F.embedding(torch.tensor([[0, 2], [2, 1]]), x),
    "padded": lambda x: F.embedding(torch.tensor([[0, 2], [2, 1]]), x, padding_idx=2),
    "bags": lambda x: F.embedding_bag(torch.tensor([0, 2, 2, 1]), x, torch.tensor([0, 1]), mode="sum"),
    "mean bags": lambda x: F.embedding_bag(torch.tensor([0, 2, 2, 1]), x, torch.tensor([0, 3]), padding_idx=0),
    "scatter": lambda x: ZEROS.scatter(0, PLACES.sort(0)[1], x) + ZEROS.scatter(0, PLACES[:1], 0.3) * 2,
    "scatter a number": lambda x: x.sin().scatter(1, PLACES[:, :1], 0.3),
    "scatter_add": lambda x: ZEROS.scatter_add(0, PLACES, x),
    "scatter_reduce": lambda x: x.new_ones(3, 4).scatter_reduce(0, PLACES, x, "sum", include_self=False),
    "index_add": lambda x: ZEROS.index_add(0, ROWS, x, alpha=2),
    "index_put": lambda x: ZEROS.index_put((ROWS,), x, accumulate=True) + ZEROS.index_put((torch.tensor([0]),), x[0]),
    "index_copy": lambda x: ZEROS.index_copy(0, torch.tensor([1, 0, 3]), x),
    "index_fill": lambda x: x.index_fill(1, torch.tensor([1]), 0.5),
    "scatters": lambda x: torch.slice_scatter(ZEROS, x, 0, 1, 4) + torch.select_scatter(ZEROS, x[0], 0, 2),
    "pixels": lambda x: F.pixel_shuffle(x.reshape(4, 1, 3), 2) * F.pixel_unshuffle(x.reshape(1, 2, 6), 2).mean(),
    "trace": lambda x: torch.trace(x) * torch.trace(x[:, :3]),
    "bilinear": lambda x: F.interpolate(x[None, None], size=(5, 6), mode="bilinear"),
    "nearest": lambda x: F.interpolate(x[None, None], scale_factor=2),
    "grid": lambda x: F.grid_sample(x[None, None], x[:2, :2][None, None] * 0.5, align_corners=True),
}


@pytest.mark.parametrize("name", MOVES)
def test_moves(name: str) -> None:
    """Every element takes its slope along."""
    assert_traced(lambda x: MOVES[name](x).sin().sum(), randn(3, 4))


def test_a_mean_of_scattered_numbers_has_no_lowering() -> None:
    """It keeps torch's name."""
    objective = made(lambda x: ZEROS.scatter_reduce(0, PLACES, x, "mean").sum(), randn(3, 4))
    assert "torch scatter_reduce" in [operation.name for operation in objective.trace().operations]
