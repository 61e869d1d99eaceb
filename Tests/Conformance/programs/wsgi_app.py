"""A WSGI application that makes its client when it is loaded, as with gunicorn's --preload before the fork.

A module for gunicorn's tests: TEST_URL and TEST_CA name the Hanko, TEST_LOG a file for what the master found out.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from library import Library  # noqa: E402
from resilience import Client  # noqa: E402

client = Client(Library(), os.environ["TEST_URL"], ca_file=os.environ["TEST_CA"], timeout_ms=20000)
# Used before the fork: there is a TLS connection now that no worker may touch.
preloaded = client.status(b"yes-in-the-master")


def application(environ, start_response):
    """Answers with the number of the process and the status for the token in the query."""
    status = client.status(environ["QUERY_STRING"].encode())
    body = f"{os.getpid()} {int(status)} {int(preloaded)}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


# gunicorn's own settings are read from a module as well. ------------------------------------------------------------

bind = f"unix:{os.environ['TEST_SOCKET']}" if "TEST_SOCKET" in os.environ else None
workers = 2
preload_app = True
threads = 2
timeout = 20
graceful_timeout = 5


def child_exit(server, worker):
    """Runs in the master when a worker has ended: its connection must have survived that."""
    status = client.status(b"yes-after-a-worker")
    with open(os.environ["TEST_LOG"], "a") as log:
        log.write(f"{os.getpid()} {worker.pid} {int(status)}\n")
