"""Grid: the pixels of an output frame."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import Frame
