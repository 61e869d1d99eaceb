"""Session tokens: JSON Web Tokens signed with RS256.

The `openssl` program makes the key and signs, because Python's standard library has no RSA.
Checking a signature needs only the public key and one modular power, so that is done here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from typing import Any

from .answers import go_json, sorted_map

_PUBLIC_EXPONENT = 65537
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
# The DER bytes that stand before a SHA-256 digest in a PKCS #1 v1.5 signature (RFC 8017, 9.2).
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class OpenSSLError(RuntimeError):
    """The `openssl` program is missing or failed; the text is one sentence for a person."""


class InvalidToken(Exception):
    """A token that does not verify. Hanko answers `is_valid: false` whatever the reason."""


def _run_openssl(arguments: list[str], standard_input: bytes = b"") -> bytes:
    program = shutil.which("openssl")
    if program is None:
        raise OpenSSLError(
            "The stand-in Hanko signs its tokens with the openssl program, which is not there: "
            "install the package openssl (for example: apt-get install openssl)."
        )
    finished = subprocess.run([program, *arguments], input=standard_input, capture_output=True, check=False)
    if finished.returncode != 0:
        reason = finished.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OpenSSLError(f"openssl {arguments[0]} failed: {reason[-1] if reason else finished.returncode}")
    return finished.stdout


def base64url(data: bytes) -> str:
    """`data` in base64url without padding, as tokens and key sets hold it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    """The bytes behind base64url without padding."""
    if not _BASE64URL.fullmatch(text):
        raise InvalidToken("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise InvalidToken("not base64url") from None


class PublicKey:
    """The half of a key that everybody may know."""

    def __init__(self, kid: str, modulus: int) -> None:
        """The exponent is always 65537, as in Hanko's keys."""
        self.kid = kid
        self.modulus = modulus

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, str]) -> PublicKey:
        """The key in one entry of a JSON Web Key Set."""
        return cls(jwk["kid"], int.from_bytes(base64url_decode(jwk["n"]), "big"))

    def as_jwk(self) -> dict[str, str]:
        """The key as one entry of a JSON Web Key Set."""
        exponent = _PUBLIC_EXPONENT.to_bytes(3, "big")
        modulus = self.modulus.to_bytes((self.modulus.bit_length() + 7) // 8, "big")
        return {
            "alg": "RS256",
            "e": base64url(exponent),
            "kid": self.kid,
            "kty": "RSA",
            "n": base64url(modulus),
            "use": "sig",
        }

    def verify(self, token: str) -> dict[str, Any]:
        """The payload of `token`, or `InvalidToken` when this key did not sign it.

        Times are not looked at. The header's `alg` decides nothing: the key is for RS256 alone.
        """
        # Hanko trims as Go does; these are the blanks that can be in a token's neighbourhood.
        parts = token.strip(" \t\n\v\f\r\x85\xa0").split(".")
        if len(parts) != 3:
            raise InvalidToken("a token has three parts")
        header, payload, signature = (base64url_decode(part) for part in parts)
        if _json_object(header).get("kid") != self.kid:
            raise InvalidToken("no key of this name")
        if not self._signature_matches(f"{parts[0]}.{parts[1]}".encode("ascii"), signature):
            raise InvalidToken("the signature does not match")
        return _json_object(payload)

    def _signature_matches(self, signed: bytes, signature: bytes) -> bool:
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        digest = _SHA256_PREFIX + hashlib.sha256(signed).digest()
        expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        return pow(number, _PUBLIC_EXPONENT, self.modulus).to_bytes(size, "big") == expected


class SigningKey:
    """An RSA key whose private half exists only in a temporary folder, until `close`."""

    def __init__(self, bits: int = 4096) -> None:
        """Make a new key; 4096 bits, as Hanko's are, take a second or a few."""
        self._folder: str | None = tempfile.mkdtemp(prefix="hanko-standin-")  # mode 0700
        self._path = os.path.join(self._folder, "key.pem")
        try:
            # Made before openssl writes to it, so that it is never readable by others.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _run_openssl(["genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", self._path])
            printed = _run_openssl(["rsa", "-in", self._path, "-noout", "-modulus"]).decode("ascii")
            self.public = PublicKey(str(uuid.uuid4()), int(printed.strip().partition("=")[2], 16))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SigningKey:
        """The key itself; leaving the `with` removes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the private key."""
        self.close()

    def close(self) -> None:
        """Remove the private key from the disk."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def private_key_file(self) -> str:
        """Where the private key is kept while this object lives."""
        return self._path

    def sign(self, payload: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """A signed token with this payload; `header` replaces the usual one."""
        if header is None:
            header = {"alg": "RS256", "kid": self.public.kid, "typ": "JWT"}
        signing_input = unsigned(payload, header)
        signature = _run_openssl(["dgst", "-sha256", "-sign", self._path], signing_input.encode("ascii"))
        return f"{signing_input}.{base64url(signature)}"


def unsigned(payload: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """The first two parts of a token, which are what is signed."""
    # Only the outer keys are sorted: what lies below keeps the order that its maker chose.
    outer = {key: payload[key] for key in sorted(payload)}
    return ".".join(base64url(go_json(part).encode("utf-8")) for part in (sorted_map(header), outer))


def with_broken_signature(token: str) -> str:
    """`token` with one character of its signature changed."""
    start = token.rindex(".") + 1
    # Not the last one: its lowest bits mean nothing, so the signature could stay the same.
    place = start + (len(token) - start) // 2
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def without_signature(token: str) -> str:
    """The payload of `token` behind a header that says `alg: none`, unsigned."""
    header = base64url(b'{"alg":"none","typ":"JWT"}')
    return f"{header}.{token.split('.')[1]}."


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InvalidToken("not JSON") from None
    if not isinstance(value, dict):
        raise InvalidToken("not a JSON object")
    return value
