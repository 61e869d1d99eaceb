"""One at a time: Hanko's guide."""

from guide import validate
from harness import one_at_a_time

one_at_a_time(validate)
