"""The oracle's own forward pass of a declared network, and its increments, independent of every witness."""
