"""The tokens are real: the openssl program and a real Hanko's own token are the judges."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hanko.standin import FORGERIES, InvalidToken, PublicKey, SigningKey, StandIn
from raw_http import ask, validate

RECORDED = Path(__file__).resolve().parents[1] / "Recorded"


def decode(text: str) -> bytes:
    """base64url, decoded here so that the stand-in's own decoder is not its judge."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der(tag: int, content: bytes) -> bytes:
    """One DER value."""
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def write_public_key(jwk: dict[str, str], path: Path) -> None:
    """A key of a key set as the PEM file that openssl reads (RFC 8017, A.1.1 within RFC 5280)."""
    integers = b"".join(der(0x02, b"\x00" + decode(jwk[name])) for name in ("n", "e"))
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    info = der(0x30, algorithm + der(0x03, b"\x00" + der(0x30, integers)))
    path.write_bytes(b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(info) + b"-----END PUBLIC KEY-----\n")


def openssl_accepts(token: str, jwk: dict[str, str], folder: Path) -> bool:
    """Whether the openssl program finds that `jwk` signed `token`."""
    signed, _, signature = token.rpartition(".")
    write_public_key(jwk, folder / "public.pem")
    (folder / "signature").write_bytes(decode(signature))
    command = ["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature"]
    finished = subprocess.run(command, input=signed.encode(), cwd=folder, capture_output=True, check=False)
    assert finished.stdout.decode().strip() in ("Verified OK", "Verification failure", "Verification Failure")
    return finished.returncode == 0


def published_key(standin: StandIn, token: str) -> dict[str, str]:
    """The key of the published set that the token's header names."""
    keys = ask(standin.api_url, "GET", "/.well-known/jwks.json").json()["keys"]
    kid = json.loads(decode(token.split(".")[0]))["kid"]
    (key,) = [key for key in keys if key["kid"] == kid]
    assert isinstance(key, dict)
    return key


def test_openssl_verifies_a_session_token(standin: StandIn, tmp_path: Path) -> None:
    token = standin.mint_session().token
    assert json.loads(decode(token.split(".")[0])) == {
        "alg": "RS256",
        "kid": standin.key.public.kid,
        "typ": "JWT",
    }
    assert openssl_accepts(token, published_key(standin, token), tmp_path)


def test_openssl_verifies_expired_and_webhook_tokens(standin: StandIn, tmp_path: Path) -> None:
    for token in (standin.mint_expired().token, standin.mint_webhook_token()):
        assert openssl_accepts(token, published_key(standin, token), tmp_path)


@pytest.mark.parametrize("how", ["signature", "other-key"])
def test_openssl_refuses_forged_tokens(standin: StandIn, tmp_path: Path, how: str) -> None:
    token = standin.mint_forged(how=how).token
    assert not openssl_accepts(token, published_key(standin, token), tmp_path)


def test_default_key_has_4096_bits(make_standin: Any) -> None:
    """A key as large as Hanko's, and a signature of 683 characters as there."""
    with SigningKey() as key:
        assert len(decode(key.public.as_jwk()["n"])) == 512
        assert len(key.sign({"sub": "x"}).rpartition(".")[2]) == 683


def test_private_key_is_for_nobody_else_and_goes_away() -> None:
    with SigningKey(2048) as key:
        path = Path(key.private_key_file)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


def test_stopping_removes_the_private_key() -> None:
    with StandIn(key_bits=2048) as standin:
        other = standin.mint_forged(how="other-key")
        path = Path(standin.key.private_key_file)
        assert path.exists() and other.token
    assert not path.parent.exists()


def test_own_verification_accepts_a_real_hanko_token() -> None:
    """The verifier is not only right about tokens of its own making."""
    signed = json.loads((RECORDED / "signed.json").read_text(encoding="utf-8"))
    key = PublicKey.from_jwk(signed["jwks"]["keys"][0])
    token = signed["session_token"]
    assert key.as_jwk() == signed["jwks"]["keys"][0]
    assert key.verify(token)["sub"] == "44d51f8d-3265-453e-b69c-4cadef7f58be"
    for place in (40, token.index(".") + 40, token.rindex(".") + 40):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(InvalidToken):
            key.verify(changed)


@pytest.mark.parametrize("how", FORGERIES)
def test_forged_token_is_not_valid_but_its_session_lives(standin: StandIn, how: str) -> None:
    user = standin.add_user()
    forged = standin.mint_forged(user, how)
    assert validate(standin.api_url, forged.token).json() == {"is_valid": False}
    listed = ask(standin.admin_url, "GET", f"/users/{user.id}/sessions").json()
    assert [row["id"] for row in listed] == [forged.session_id]


def test_unknown_forgery_is_refused(standin: StandIn) -> None:
    with pytest.raises(ValueError, match="alg-none"):
        standin.mint_forged(how="crystal-ball")


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        pytest.param({}, True, id="nothing changed"),
        pytest.param({"exp": 60}, True, id="expires in a minute"),
        pytest.param({"exp": 0}, False, id="expires now"),
        pytest.param({"exp": -1}, False, id="expired"),
        pytest.param({"iat": 60}, False, id="issued in the future"),
        pytest.param({"nbf": 60}, False, id="not before a minute"),
        pytest.param({"nbf": -60}, True, id="not before a minute ago"),
    ],
)
def test_times_are_checked_without_skew(standin: StandIn, changes: dict[str, int], valid: bool) -> None:
    """`changes` are seconds from the time at which Hanko is asked."""
    session = standin.mint_session(issued_ago=10)
    payload = standin.key.public.verify(session.token)
    now = standin.clock.now() // 1_000_000_000
    payload.update({name: now + seconds for name, seconds in changes.items()})
    assert validate(standin.api_url, standin.sign(payload)).json()["is_valid"] is valid


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        pytest.param({"session_id": None}, 200, None, id="no session_id"),
        pytest.param({"sub": None}, 200, None, id="no sub: the nil UUID is answered"),
        pytest.param({"sub": "1234"}, 400, "'subject' is not a uuid: uuid: incorrect UUID length 4 in string \"1234\""),
        pytest.param(
            {"session_id": "x" * 36},
            400,
            f"'session_id' is not a uuid: uuid: incorrect UUID format in string \"{'x' * 36}\"",
        ),
        pytest.param({"email": "ada@example.com"}, 400, "unexpected 'email' claim type: string"),
        pytest.param({"email": 7}, 400, "unexpected 'email' claim type: float64"),
    ],
)
def test_claims_of_a_well_signed_token(
    standin: StandIn, changes: dict[str, Any], status: int, message: str | None
) -> None:
    payload = standin.key.public.verify(standin.mint_session().token)
    payload.update(changes)
    payload = {name: value for name, value in payload.items() if value is not None}
    response = validate(standin.api_url, standin.sign(payload))
    assert response.status == status
    if message is not None:
        assert response.json() == {"code": 400, "message": f"failed to parse token claims: {message}"}
    elif "session_id" in changes:
        assert response.json() == {"is_valid": False}
    else:
        assert response.json()["user_id"] == "00000000-0000-0000-0000-000000000000"


def test_session_id_that_is_no_string_drops_the_connection(standin: StandIn) -> None:
    """Hanko's handler panics on it, and Go then closes without an answer."""
    payload = standin.key.public.verify(standin.mint_session().token)
    payload["session_id"] = 7
    with pytest.raises(EOFError):
        validate(standin.api_url, standin.sign(payload))


@pytest.mark.parametrize("token", ["..", "a.b.c", "é.é.é", "e30.e30.e30", "{}", "eyJ" * 1000])
def test_nonsense_is_not_valid(standin: StandIn, token: str) -> None:
    assert validate(standin.api_url, token).json() == {"is_valid": False}


def test_non_ascii_payload_behind_a_good_header(standin: StandIn) -> None:
    header, _, signature = standin.mint_session().token.split(".")
    assert validate(standin.api_url, f"{header}.é.{signature}").json() == {"is_valid": False}


def test_custom_claims_cannot_replace_what_hanko_sets(make_standin: Any) -> None:
    """At issue the JWT's own names are safe, as in Hanko; only the answer's names are not."""
    standin = make_standin(custom_claims={"sub": "x", "exp": 1, "session_id": "x", "email": "x", "plan": "free"})
    session = standin.mint_session()
    answer = validate(standin.api_url, session.token).json()
    assert answer["is_valid"] is True
    assert answer["user_id"] == session.user_id
    assert answer["claims"]["plan"] == "free"
    # Without an e-mail of the user's own the claim of that name stays, and Hanko chokes on it.
    without_email = standin.mint_session(username="carol")
    assert validate(standin.api_url, without_email.token).status == 400


def test_amr_is_a_claim(standin: StandIn) -> None:
    session = standin.mint_session(amr=["passkey", "totp"])
    assert validate(standin.api_url, session.token).json()["claims"]["amr"] == ["passkey", "totp"]
