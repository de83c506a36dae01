"""Data for a check: read a csv or npz file, encode the targets for the loss, normalise, draw examples.

Nothing in a file becomes a silent nan: each reader says what is wrong, and where.
"""

from xcheck.networks.data.csv_file import read_csv
from xcheck.networks.data.dataset import Dataset, Table
from xcheck.networks.data.npz_file import load_npz, read_npz
from xcheck.networks.data.split import Parts, split_into_parts
from xcheck.networks.data.targets import encode, synthesize

__all__ = ["Dataset", "Parts", "Table", "encode", "load_npz", "read_csv", "read_npz", "split_into_parts", "synthesize"]
