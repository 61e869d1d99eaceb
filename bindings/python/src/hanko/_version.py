"""The version of the package, which is that of the library it needs. The build refuses any other than the header's."""

__version__ = "0.1.0"
