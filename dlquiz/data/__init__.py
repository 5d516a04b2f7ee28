"""Data sets with a card each; `datasets/README.md` is their index.

>>> from dlquiz import data
>>> fraud = data.load("fraud")
>>> fraud.features.shape, int(fraud.target.sum())
((50000, 10), 250)
>>> train, test = data.split(fraud, test_size=0.2, by_time=True)
"""

from dlquiz.data.cards import Card, Column, DataError, Figure, card, describe, names
from dlquiz.data.dataset import Dataset, split
from dlquiz.data.loading import SYNTHETIC, draw, load

__all__ = [
    "SYNTHETIC",
    "Card",
    "Column",
    "DataError",
    "Dataset",
    "Figure",
    "card",
    "describe",
    "draw",
    "load",
    "names",
    "split",
]
