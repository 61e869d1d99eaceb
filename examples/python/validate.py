#!/usr/bin/env python3
"""Asks Hanko whether a session token is valid, through ctypes and nothing else.

    HANKO_API_URL=https://<tenant>.hanko.io python3 validate.py "$TOKEN"

Exit status: 0 valid, 1 refused (a web server would answer 401), 2 could not ask (503).
"""

import ctypes
import os
import sys

HANKO_INVALID_TOKEN = 1
HANKO_NO_TOKEN = 2

# CDLL, not PyDLL: it lets go of the interpreter lock, so that other threads run while this one waits for Hanko.
hanko = ctypes.CDLL(os.environ.get("HANKO_LIBRARY") or "libhanko.so.0")

# ctypes takes everything for int unless it is told; a pointer would lose its upper half.
hanko.hanko_validate.argtypes = [ctypes.c_char_p]
hanko.hanko_validate.restype = ctypes.c_int
hanko.hanko_last_status.argtypes = []
hanko.hanko_last_status.restype = ctypes.c_int32
hanko.hanko_last_error.argtypes = []
hanko.hanko_last_error.restype = ctypes.c_char_p
hanko.hanko_status_name.argtypes = [ctypes.c_int32]
hanko.hanko_status_name.restype = ctypes.c_char_p


def main() -> int:
    # None becomes NULL. fsencode gives back the bytes that the shell passed, whatever they were.
    token = os.fsencode(sys.argv[1]) if len(sys.argv) > 1 else None

    # A NUL would cut the token short on its way into C. Arguments cannot hold one, but a token out of a request can:
    # refuse it before the call.
    if token is not None and b"\0" in token:
        print("invalid HANKO_INVALID_TOKEN")
        return 1

    # Status and error text are those of the calling thread's last call. A thread in Python is a thread of the system,
    # so this is right in any function that does not await in between.
    valid = hanko.hanko_validate(token) == 1
    status = hanko.hanko_last_status()
    print("valid" if valid else "invalid", hanko.hanko_status_name(status).decode())
    if valid:
        return 0

    # For the log of the server. What a client may see is hanko_status_message().
    print(hanko.hanko_last_error().decode(), file=sys.stderr)

    # All other statuses, those of later versions included, mean that Hanko could not be asked. That says nothing about
    # the session: do not log anybody out for it.
    return 1 if status in (HANKO_INVALID_TOKEN, HANKO_NO_TOKEN) else 2


if __name__ == "__main__":
    sys.exit(main())
