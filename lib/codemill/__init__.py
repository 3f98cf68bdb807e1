"""Turn raw source code into fill-in-the-middle training data, as a Spark batch job."""

__version__ = "0.1.0"
