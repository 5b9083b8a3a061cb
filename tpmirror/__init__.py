"""A local mirror of a TensorPix account in SQL."""

__version__ = "0.1.0"
