"""The commands of `python -m hanko`."""
