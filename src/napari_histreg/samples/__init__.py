"""Examples whose truth is known: real tissue, a phantom of any size, tomographic projections."""

from napari_histreg.samples.demo import DemoPair, demo_pair
from napari_histreg.samples.phantom import PhantomPair, phantom_pair
from napari_histreg.samples.projections import PhantomProjections, phantom_projections

__all__ = [
    "DemoPair",
    "PhantomPair",
    "PhantomProjections",
    "demo_pair",
    "phantom_pair",
    "phantom_projections",
]
