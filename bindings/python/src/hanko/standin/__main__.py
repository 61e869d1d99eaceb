"""The command line: `python3 -m hanko.standin`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import Any

from .settings import DEFAULT_TENANT, SettingsError, parse_duration
from .stand_in import StandIn
from .tokens import OpenSSLError

_DESCRIPTION = """\
A stand-in Hanko: answers session checks as a real Hanko does, so that you can try a backend
without an account. It keeps users and sessions in memory and forgets them when it ends.

This is a test double. Whoever reaches its admin port can make a session for any user, so it must
not face the internet; it listens on 127.0.0.1 unless told otherwise.
"""

_EPILOG = """\
It needs the openssl program, and prints where it listens in lines that a shell can read:

  HANKO_API_URL=http://127.0.0.1:40001
  HANKO_ADMIN_URL=http://127.0.0.1:40002

Example:

  python3 -m hanko.standin --port 8000 --admin-port 8001 &
  curl -X POST http://127.0.0.1:8001/standin/session
      {"session_token":"eyJ...","session_id":"...","user_id":"..."}
  curl http://127.0.0.1:8000/sessions/validate -H 'Content-Type: application/json' \\
       -d '{"session_token":"eyJ..."}'
      {"is_valid":true,"claims":{...},...}

Public port, as in Hanko:
  POST /sessions/validate         {"session_token":"..."}
  GET  /sessions/validate         Authorization: Bearer ..., or the session cookie
  GET  /.well-known/jwks.json     the keys that verify the tokens
  GET  /health/alive, /health/ready
  POST /logout                    Authorization: Bearer ..., or the session cookie

Admin port, as in Hanko:
  POST   /users                   {"emails":[{"address":"a@example.com","is_primary":true}]}
  GET    /users, /users/ID
  DELETE /users/ID
  POST   /sessions                {"user_id":"ID"}
  GET    /users/ID/sessions
  DELETE /users/ID/sessions/ID    ends a session (GET shows it, which a real Hanko does not)

Admin port, only in the stand-in (every field may be left out, except "down"):
  POST /standin/session           {"user_id","email","username","amr":["pwd"],"lifespan":60}
  POST /standin/expired-token     {"user_id","seconds_ago":60}
  POST /standin/forged-token      {"user_id","how":"signature" | "other-key" | "alg-none"}
  POST /standin/webhook-token     {"user_id","event":"session.create.admin"}
  PUT  /standin/database          {"down":true}; GET shows it
  POST /standin/clock             {"advance_seconds":3600}
  GET  /standin/counts            requests and connections of the public port
"""


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except SettingsError as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def _claims(text: str) -> dict[str, Any]:
    """Custom claims from JSON text, or from the file of this name."""
    try:
        if not text.lstrip().startswith("{"):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        claims = json.loads(text)
    except OSError as reason:
        raise argparse.ArgumentTypeError(f"neither JSON text nor a file that can be read: {reason}") from None
    except ValueError as reason:
        raise argparse.ArgumentTypeError(f"not JSON: {reason}") from None
    if not isinstance(claims, dict):
        raise argparse.ArgumentTypeError("custom claims are a JSON object")
    return claims


def make_parser() -> argparse.ArgumentParser:
    """All options, with their help."""
    parser = argparse.ArgumentParser(
        prog="python3 -m hanko.standin",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_argument_group("where it listens")
    where.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    where.add_argument("--port", type=int, default=0, help="public port (default: a free one)")
    where.add_argument("--admin-port", type=int, default=0, help="admin port (default: a free one)")
    where.add_argument("--tls-cert", metavar="FILE", help="serve the public port by TLS with this certificate (PEM)")
    where.add_argument("--tls-key", metavar="FILE", help="the private key of the certificate (PEM, not encrypted)")
    where.add_argument(
        "--tenant",
        metavar="UUID",
        nargs="?",
        const=DEFAULT_TENANT,
        help=f"serve several tenants, of which this one exists: all paths begin with it (default {DEFAULT_TENANT})",
    )
    sessions = parser.add_argument_group("sessions and tokens (durations: 90, 90s, 15m, 1h30m)")
    sessions.add_argument("--lifespan", type=_duration, default=12 * 3600.0, help="of a session (default 12h)")
    sessions.add_argument(
        "--idle-timeout", type=_duration, default=0.0, help="end a session that was not used for so long (default: off)"
    )
    sessions.add_argument(
        "--session-limit", type=int, default=5, help="sessions a user can have; the oldest go (default %(default)s)"
    )
    sessions.add_argument("--issuer", default="", help="the tokens' issuer (default: none)")
    sessions.add_argument(
        "--audience", action="append", help="the tokens' audience, may be repeated (default localhost)"
    )
    sessions.add_argument(
        "--custom-claims", type=_claims, default={}, metavar="JSON", help="further claims: a JSON object, or its file"
    )
    sessions.add_argument("--cookie-name", default="hanko", help="name of the session cookie (default %(default)s)")
    sessions.add_argument(
        "--key-bits", type=int, default=4096, help="size of the signing key; 2048 starts faster (default %(default)s)"
    )
    trouble = parser.add_argument_group("trouble")
    trouble.add_argument(
        "--database-down",
        action="store_true",
        help="begin with the database down: every check says is_valid false, the key set 500, health still ready",
    )
    trouble.add_argument(
        "--delay-ms", type=float, default=0, metavar="MS", help="wait so long before every public answer (default 0)"
    )
    parser.add_argument("--verbose", action="store_true", help="a line on standard error for each request (no tokens)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    options = make_parser().parse_args(arguments)
    stopped = threading.Event()
    # Before anything that takes time, so that a signal is never answered by a traceback.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        standin = StandIn(
            host=options.host,
            port=options.port,
            admin_port=options.admin_port,
            idle_timeout=options.idle_timeout,
            lifespan=options.lifespan,
            issuer=options.issuer,
            audience=options.audience,
            custom_claims=options.custom_claims,
            tenant=options.tenant,
            certificate_file=options.tls_cert,
            key_file=options.tls_key,
            key_bits=options.key_bits,
            cookie_name=options.cookie_name,
            session_limit=options.session_limit,
            verbose=options.verbose,
            database_down=options.database_down,
            delay_ms=options.delay_ms,
        )
    except (SettingsError, OpenSSLError, ValueError) as reason:
        if stopped.is_set():  # Ctrl-C reaches openssl as well, which then fails
            return 0
        print(f"hanko.standin: {reason}", file=sys.stderr)
        return 2
    try:
        standin.start()
    except OSError as reason:
        print(f"hanko.standin: cannot listen on {options.host}: {reason}", file=sys.stderr)
        return 1
    with standin:
        try:
            print(f"HANKO_API_URL={standin.api_url}", flush=True)
            print(f"HANKO_ADMIN_URL={standin.admin_url}", flush=True)
            print("# The stand-in Hanko is ready. It is a test double; stop it with Ctrl-C.", flush=True)
        except BrokenPipeError:
            # Whoever started it does not want to read; it serves all the same.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
