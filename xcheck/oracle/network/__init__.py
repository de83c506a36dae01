"""The oracle's own forward pass of a declared network, independent of every witness."""
