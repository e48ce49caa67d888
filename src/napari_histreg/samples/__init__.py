"""Example pairs whose truth is known: real tissue, and a phantom of any size."""

from napari_histreg.samples.demo import DemoPair, demo_pair
from napari_histreg.samples.phantom import PhantomPair, phantom_pair

__all__ = ["DemoPair", "PhantomPair", "demo_pair", "phantom_pair"]
