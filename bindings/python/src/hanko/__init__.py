"""Hanko session validation for Python backends, and a stand-in Hanko to try it with."""
