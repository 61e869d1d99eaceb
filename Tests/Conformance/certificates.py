"""Certificates for loopback servers, made at test time by the ``openssl`` program."""

from __future__ import annotations

import pathlib
import ssl
import subprocess

CONFIGURATION = """
[ca]
default_ca = authority
[authority]
dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = copy
[anything]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
"""


class Authority:
    """A private certificate authority in a folder of its own."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.certificate = self.folder / "authority.pem"
        self._configuration = self.folder / "openssl.cnf"
        self._configuration.write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("01\n")
        self._openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "authority.key",
            "-out",
            "authority.pem",
            "-subj",
            f"/CN={name}",
            "-extensions",
            "authority_extensions",
        )

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", arguments[0], "-config", str(self._configuration), *arguments[1:]]
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")

    def context(self, name: str, hosts: str, dates: str | None = None) -> ssl.SSLContext:
        """A server's TLS settings with a certificate for ``hosts`` (as in ``DNS:a,IP:127.0.0.1``).

        ``dates`` is ``first/last`` in the form that ``openssl ca`` takes; without it, now and tomorrow.
        The certificate is made on first use of the name.
        """
        if not (self.folder / f"{name}.pem").exists():
            self._issue(name, hosts, dates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _issue(self, name: str, hosts: str, dates: str | None) -> None:
        self._openssl(
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName={hosts}",
        )
        first, last = dates.split("/") if dates else ("", "")
        validity = ["-startdate", first, "-enddate", last] if dates else ["-days", "1"]
        self._openssl(
            "ca",
            "-batch",
            "-notext",
            *validity,
            "-cert",
            "authority.pem",
            "-keyfile",
            "authority.key",
            "-in",
            f"{name}.csr",
            "-out",
            f"{name}.pem",
        )


def only_version(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Let a server speak one version of TLS only."""
    # The floor first falls, then the ceiling: never is the one above the other.
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.minimum_version = version
    return context
