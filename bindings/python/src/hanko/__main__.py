"""The command line: `python -m hanko`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn, Optional

from ._version import __version__

_EPILOG = """\
exit status:
  check      0 everything is right, 1 something is wrong
  validate   0 valid, 1 invalid, 2 Hanko could not be asked

Settings come from the environment: HANKO_API_URL=https://<tenant>.hanko.io and others, which `check` lists. A token is
read from standard input only, because arguments show in the list of processes.

  python -m hanko check
  printf %s "$TOKEN" | python -m hanko validate

`python -m hanko.standin` starts a stand-in Hanko for tests.
"""


def make_parser() -> argparse.ArgumentParser:
    """All commands, with their help."""
    parser = argparse.ArgumentParser(
        prog="python -m hanko",
        description="Is the session that a browser sent real? Asks Hanko.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hanko {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, text in (
        ("check", "look at the library and the settings, ask Hanko, and say what is wrong"),
        ("validate", "read a session token from standard input and ask Hanko about it"),
    ):
        commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    return parser


def run(arguments: Optional[Sequence[str]] = None) -> int:
    """Do what the command line says; the exit status."""
    command = make_parser().parse_args(arguments).command
    if command == "check":
        from ._commands.check import check

        return check()
    from ._commands.validate import validate

    return validate()


def main() -> NoReturn:
    """Run, and end as a well-behaved program does when it is interrupted or nobody reads it."""
    try:
        status = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        # By the signal itself, so that a script that called us ends as well.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        raise
    except BrokenPipeError:
        # Python flushes once more at its end, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)


if __name__ == "__main__":
    main()
