"""The public API: what an application's backend and browsers ask."""

from __future__ import annotations

from typing import Any

from .answers import Answer, HTTPError, delete_cookie, format_time, no_content
from .claims import Claims, check_times, format_seconds, parse_uuid, read_claims
from .json_input import string_fields
from .server import Request
from .service import Service
from .settings import NANOSECONDS
from .state import DatabaseDown, Session
from .tokens import InvalidToken

# Echo looks at no more values than this of one header or cookie.
_MAXIMUM_CANDIDATES = 20
_REQUIRED = "code=400, message=session_token is a required field"


def split_tenant(path: str, tenant: str) -> str:
    """The path behind the tenant's prefix; an `HTTPError` for any other tenant."""
    prefix, slash, rest = path[1:].partition("/")
    if not prefix:
        raise HTTPError(400, "tenant ID required")
    try:
        given = parse_uuid(prefix)
    except ValueError:
        raise HTTPError(400, "invalid tenant ID format") from None
    if given != tenant:
        raise HTTPError(404, "tenant not found")
    return slash + rest


def body_media_type(request: Request) -> str | None:
    """The media type of the body; `None` without a body, 415 for one that Echo cannot bind.

    The comparison is case-sensitive, as in Echo.
    """
    if not request.body and not request.chunked:
        return None
    media_type = request.header("Content-Type").partition(";")[0].strip()
    if media_type not in (
        "application/json",
        "application/xml",
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        raise HTTPError(415)
    return media_type


def bearer_and_cookie_tokens(request: Request, cookie_name: str) -> list[str]:
    """The tokens a request carries in `Authorization` and in the session cookie, in that order."""
    bearers = [
        value[len("Bearer ") :]
        for value in request.header_values("Authorization")
        if value[: len("Bearer ")].lower() == "bearer " and len(value) > len("Bearer ")
    ]
    cookies: list[str] = []
    for header in request.header_values("Cookie"):
        for pair in header.split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals and name == cookie_name:
                if len(value) > 1 and value.startswith('"') and value.endswith('"'):
                    value = value[1:-1]
                cookies.append(value)
    return bearers[:_MAXIMUM_CANDIDATES] + cookies[:_MAXIMUM_CANDIDATES]


class PublicAPI:
    """Answers the requests on the public port."""

    def __init__(self, service: Service) -> None:
        """`service` holds the settings, the key and the database."""
        self._service = service
        self._routes = {
            ("POST", "/sessions/validate"): self._validate_body,
            ("GET", "/sessions/validate"): self._validate_headers,
            ("GET", "/.well-known/jwks.json"): self._key_set,
            ("GET", "/health/alive"): lambda request: Answer(200, {"alive": True}),
            ("GET", "/health/ready"): lambda request: Answer(200, {"ready": True}),
            ("POST", "/logout"): self._logout,
        }

    def handle(self, request: Request) -> Answer:
        """The answer to one request."""
        intercept = self._service.intercept
        intercepted = None if intercept is None else intercept(request)
        if intercepted is not None:
            return intercepted
        self._service.wait()
        path = self._service.own_path(request.path)
        tenant = self._service.settings.tenant
        if tenant is not None:
            self._load_tenant()
            path = split_tenant(path, tenant)
        try:
            answer = self._route(request, path)
        except HTTPError as error:
            answer = Answer(error.status, {"code": error.status, "message": error.message})
        except DatabaseDown:
            answer = Answer(500, {"code": 500, "message": "Internal Server Error"})
        # Set behind the tenant's lookup, so that an error about the tenant does not carry it.
        answer.headers.append(("Vary", "Origin"))
        return answer

    def _load_tenant(self) -> None:
        try:
            self._service.database.check()
        except DatabaseDown:
            raise HTTPError(500, "failed to load tenant") from None

    def _route(self, request: Request, path: str) -> Answer:
        if request.method == "OPTIONS":
            return no_content()
        handler = self._routes.get((request.method, path))
        if handler is None:
            raise HTTPError(404)
        return handler(request)

    def _verify(self, token: str) -> dict[str, Any]:
        """The payload of a token that is signed and in time."""
        try:
            self._service.database.check()
        except DatabaseDown:
            # Hanko keeps its keys in the database, and takes every trouble with them for a bad token.
            raise InvalidToken("the keys cannot be loaded") from None
        payload = self._service.key.public.verify(token)
        check_times(payload, self._service.clock.now() // NANOSECONDS)
        return payload

    def _idle_out(self, session: Session) -> bool:
        """Whether the session lay idle for too long; if so, it is deleted."""
        timeout = self._service.settings.idle_timeout
        idle = self._service.clock.now() - session.last_used
        if timeout <= 0 or idle <= timeout * NANOSECONDS:
            return False
        self._service.database.delete_session(session.id)
        return True

    def _cookie_deletion(self) -> tuple[str, str]:
        settings = self._service.settings
        return delete_cookie(settings.cookie_name, secure=settings.certificate_file is not None)

    def _valid(self, claims: Claims, last_used: int, digits: int) -> Answer:
        answer: dict[str, Any] = {
            "is_valid": True,
            "claims": claims.as_json(),
            "expiration_time": format_seconds(claims.expiration),
            "user_id": claims.subject,
        }
        timeout = self._service.settings.idle_timeout
        if timeout > 0:
            idle_end = last_used + round(timeout * NANOSECONDS)
            if idle_end > claims.expiration * NANOSECONDS:
                answer["idle_expires_at"] = format_seconds(claims.expiration)
            else:
                answer["idle_expires_at"] = format_time(idle_end, digits)
        return Answer(200, answer)

    def _validate_body(self, request: Request) -> Answer:
        token = ""
        if body_media_type(request) == "application/json":
            (token,) = string_fields(request.body, "dto.ValidateSessionRequest", ["session_token"])
        if not token:
            raise HTTPError(400, _REQUIRED)
        not_valid = Answer(200, {"is_valid": False})
        try:
            payload = self._verify(token)
        except InvalidToken:
            return not_valid
        claims = read_claims(payload)
        database = self._service.database
        session = database.session(claims.session_id)
        if session is None:
            return not_valid
        if self._idle_out(session):
            not_valid.headers.append(self._cookie_deletion())
            return not_valid
        now = self._service.clock.now()
        database.touch_session(session.id, now)
        return self._valid(claims, now, digits=9)

    def _validate_headers(self, request: Request) -> Answer:
        not_valid = Answer(200, {"is_valid": False})
        for token in bearer_and_cookie_tokens(request, self._service.settings.cookie_name):
            try:
                payload = self._verify(token)
            except InvalidToken:
                continue
            claims = read_claims(payload)
            session = self._service.database.session(claims.session_id)
            if session is None:
                continue
            if self._idle_out(session):
                not_valid.headers.append(self._cookie_deletion())
                continue
            answer = self._valid(claims, session.last_used, digits=6)
            answer.headers = not_valid.headers
            return answer
        return not_valid

    def _key_set(self, request: Request) -> Answer:
        self._service.database.check()
        return Answer(200, {"keys": [self._service.key.public.as_jwk()]}, headers=[("Cache-Control", "max-age=600")])

    def _logout(self, request: Request) -> Answer:
        database = self._service.database
        for token in bearer_and_cookie_tokens(request, self._service.settings.cookie_name):
            try:
                session_id = parse_uuid(self._verify(token)["session_id"])
                session = database.session(session_id)
            except (InvalidToken, KeyError, ValueError, DatabaseDown):
                continue
            if session is None or self._idle_out(session):
                continue
            database.delete_session(session.id)
            answer = no_content()
            answer.headers.append(self._cookie_deletion())
            return answer
        raise HTTPError(401)
