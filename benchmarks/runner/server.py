"""The Hanko of the benchmark: nginx, which answers every validation with the same yes, as fast as a server can.

The answer is what Hanko 3 sends for a live session (Tests/Recorded, case `valid`), with its times moved to today, and
the tokens that the programs send are session tokens of that user and session, with a signature that nobody checks.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

USER_ID = "44d51f8d-3265-453e-b69c-4cadef7f58be"
SESSION_ID = "c2d7e58a-dd00-426a-9037-4973bd31626e"
EMAIL = {"address": "ada@example.com", "is_primary": True, "is_verified": True}

CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log" warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    # Hanko closes no connection after a number of requests, and a run must not end in the middle of one.
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    http2_max_requests 1000000000;
    ssl_certificate "{folder}/server.pem";
    ssl_certificate_key "{folder}/server.key";
    # Hanko echoes the id of a request and makes one where there is none; libhanko binds an answer to its request by it.
    map $http_x_request_id $echoed_id {{
        default $http_x_request_id;
        "" $request_id;
    }}
    server {{
        listen 127.0.0.1:{http_port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl http2 backlog=4096;
        server_name localhost;
        default_type application/json;
        add_header Vary Origin always;
        add_header X-Request-Id $echoed_id always;
        location = /sessions/validate {{
            # Too short for a session token: some program sends something else.
            if ($content_length ~ "^.?.?.?$") {{ return 400; }}
            return 200 '{yes}\\n';
        }}
        location = /no/sessions/validate {{ return 200 '{{"is_valid":false}}\\n'; }}
        location = /.well-known/jwks.json {{ return 200 '{{"keys":[]}}\\n'; }}
        location = /no/.well-known/jwks.json {{ return 200 '{{"keys":[]}}\\n'; }}
    }}
}}
"""


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


class Server:
    """nginx on two ports of loopback, and the files that the programs need to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.issued_at = datetime.now(timezone.utc).replace(microsecond=0)
        self.expires_at = self.issued_at + timedelta(hours=12)
        self.token_file = folder / "token"
        # As programs have it in production: the authorities of the system, and ours.
        self.authorities = folder / "authorities.pem"
        self.only_authority = folder / "server.pem"
        self.http_port = 0
        self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.token_file.write_text(self.token() + "\n")
        self._make_certificate()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def url(self, scheme: str, port: int | None = None) -> str:
        if scheme == "https":
            return f"https://localhost:{port or self.tls_port}"
        return f"http://127.0.0.1:{port or self.http_port}"

    def stay_on(self, cores: set[int]) -> None:
        """Keeps the process that answers on these cores."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for process in children:
            os.sched_setaffinity(int(process), cores)

    # --- what Hanko says ------------------------------------------------------------------------------------------

    def yes(self) -> str:
        """The body of the answer."""
        return json.dumps(
            {
                "is_valid": True,
                "claims": {
                    "audience": ["localhost"],
                    "email": EMAIL,
                    "expiration": _text(self.expires_at),
                    "issued_at": _text(self.issued_at),
                    "session_id": SESSION_ID,
                    "subject": USER_ID,
                },
                "expiration_time": _text(self.expires_at),
                "user_id": USER_ID,
            },
            separators=(",", ":"),
        )

    def token(self) -> str:
        """A session token as Hanko makes it, but for the signature, which is of the right length only."""
        header = {"alg": "RS256", "kid": "19f066ad-d40e-49d0-a080-dceee22ebf33", "typ": "JWT"}
        payload = {
            "aud": ["localhost"],
            "email": EMAIL,
            "exp": _seconds(self.expires_at),
            "iat": _seconds(self.issued_at),
            "session_id": SESSION_ID,
            "sub": USER_ID,
        }
        parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, payload)]
        return ".".join(_encoded(part) for part in [*parts, secrets.token_bytes(512)])

    # --- nginx ----------------------------------------------------------------------------------------------------

    def _make_certificate(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-keyout", str(self.folder / "server.key"), "-out", str(self.only_authority), "-days", "2"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        system = Path("/etc/ssl/certs/ca-certificates.crt")
        self.authorities.write_text((system.read_text() if system.exists() else "") + self.only_authority.read_text())

    def _start(self) -> None:
        self.http_port, self.tls_port = _free_ports(2)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                http_port=self.http_port,
                tls_port=self.tls_port,
                yes=self.yes(),
            )
        )
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            raise SystemExit("nginx is missing; benchmarks/setup installs it")
        log = (self.folder / "error.log").open("wb")
        self._process = subprocess.Popen(
            [program, "-e", str(self.folder / "error.log"), "-c", str(configuration)], stdout=log, stderr=log
        )
        _wait_for(self.http_port, self._process, self.folder / "error.log")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nginx did not start: {log.read_text()}")
