"""Ways to find a transform between two images, one algorithm per file, and the table that lists them."""

from napari_histreg.methods.method import Estimate, Method
from napari_histreg.methods.registry import METHODS, MethodSpec, find_method, list_methods, method_class

__all__ = ["METHODS", "Estimate", "Method", "MethodSpec", "find_method", "list_methods", "method_class"]
