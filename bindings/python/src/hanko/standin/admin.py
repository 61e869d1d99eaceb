"""The Admin API, as far as it makes and ends sessions, and what only a stand-in has.

Everything below `/standin/` does not exist in a real Hanko: it mints tokens that a real one would
never hand out, and takes the database away while the public port is being asked. The single
`GET /users/{id}/sessions/{id}` is an addition too; a real Hanko only lists.
"""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import datetime
from typing import Any, Callable, cast

from .answers import Answer, HTTPError, no_content
from .claims import parse_uuid
from .json_input import Member, decode, decode_object, same_key, string_fields, type_error
from .public import body_media_type, split_tenant
from .server import Request
from .service import MintedSession, Service
from .settings import NANOSECONDS
from .state import DatabaseDown, Email, Session, User

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PREFIX = "/standin"

_Handler = Callable[[Request, tuple[str, ...]], Answer]


class AdminAPI:
    """Answers the requests on the admin port."""

    def __init__(self, service: Service, counts: Callable[[], dict[str, int]]) -> None:
        """`service` holds the settings, the key and the database; `counts` are those of the public port."""
        self._service = service
        self._counts = counts
        one_user, one_session = r"/users/([^/]+)", r"/users/([^/]+)/sessions/([^/]+)"
        routes: list[tuple[str, str, _Handler]] = [
            ("GET", "/health/alive", lambda request, names: Answer(200, {"alive": True})),
            ("GET", "/health/ready", lambda request, names: Answer(200, {"ready": True})),
            ("GET", "/users", self._list_users),
            ("POST", "/users", self._create_user),
            ("GET", one_user, self._get_user),
            ("DELETE", one_user, self._delete_user),
            ("GET", r"/users/([^/]+)/sessions", self._list_sessions),
            ("GET", one_session, self._get_session),
            ("DELETE", one_session, self._delete_session),
            ("POST", "/sessions", self._create_session),
            ("POST", _PREFIX + "/session", self._mint_session),
            ("POST", _PREFIX + "/expired-token", self._mint_expired),
            ("POST", _PREFIX + "/forged-token", self._mint_forged),
            ("POST", _PREFIX + "/webhook-token", self._mint_webhook),
            ("GET", _PREFIX + "/database", self._show_database),
            ("PUT", _PREFIX + "/database", self._switch_database),
            ("POST", _PREFIX + "/clock", self._advance_clock),
            ("GET", _PREFIX + "/counts", self._show_counts),
        ]
        self._routes = [(method, re.compile(pattern), handler) for method, pattern, handler in routes]

    def handle(self, request: Request) -> Answer:
        """The answer to one request."""
        path = request.path
        tenant = self._service.settings.tenant
        try:
            if tenant is not None and not path.startswith((_PREFIX + "/", "/health/")):
                if not path.startswith(f"/{tenant}{_PREFIX}/"):
                    self._load_tenant()
                path = split_tenant(path, tenant)
            for method, pattern, handler in self._routes:
                names = pattern.fullmatch(path)
                if method == request.method and names is not None:
                    return handler(request, names.groups())
        except DatabaseDown:
            raise HTTPError(500) from None
        raise HTTPError(404)

    def _load_tenant(self) -> None:
        try:
            self._service.database.check()
        except DatabaseDown:
            raise HTTPError(500, "failed to load tenant") from None

    # Users

    def _create_user(self, request: Request, names: tuple[str, ...]) -> Answer:
        user_id: str | None = None
        username: str | None = None
        emails: list[Email] = []
        created_at: int | None = None
        for member in _members(request, "admin.CreateUser"):
            if member.value.kind == "null":
                continue
            if same_key(member.key, "emails"):
                emails = _read_emails(request.body, member)
            elif same_key(member.key, "id"):
                user_id = _read_uuid(_read_string(request.body, member, "id", "uuid.UUID"))
            elif same_key(member.key, "username"):
                username = _read_string(request.body, member, "username", "string")
            elif same_key(member.key, "created_at"):
                created_at = _read_time(_read_string(request.body, member, "created_at", "time.Time"))
        for email in emails:
            if not email.address:
                raise HTTPError(400, "address is a required field")
            if not _EMAIL.fullmatch(email.address):
                raise HTTPError(400, "address must be a valid email address")
        if len({email.address for email in emails}) < len(emails):
            raise HTTPError(400, "emails entries are not unique")
        if not emails and not username:
            raise HTTPError(400, "at least one of [Emails, Username] must be set")
        primary = sum(email.is_primary for email in emails)
        if emails and primary == 0:
            raise HTTPError(400, "at least one primary email must be provided")
        if primary > 1:
            raise HTTPError(400, "only one primary email is allowed")
        user = self._service.database.add_user(emails, username, user_id, created_at)
        return Answer(200, user.as_json())

    def _list_users(self, request: Request, names: tuple[str, ...]) -> Answer:
        users = self._service.database.users()
        return Answer(200, [user.as_json() for user in users], headers=[("X-Total-Count", str(len(users)))])

    def _known_user(self, user_id: str, message: str | None) -> User:
        user = self._service.database.user(user_id)
        if user is None:
            raise HTTPError(404, message)
        return user

    def _get_user(self, request: Request, names: tuple[str, ...]) -> Answer:
        return Answer(200, self._known_user(_path_uuid(names[0]), "user not found").as_json())

    def _delete_user(self, request: Request, names: tuple[str, ...]) -> Answer:
        user = self._known_user(_path_uuid(names[0]), "user not found")
        self._service.delete_user(user.id)
        return no_content()

    # Sessions

    def _create_session(self, request: Request, names: tuple[str, ...]) -> Answer:
        user_id, user_agent, ip_address = ("", "", "")
        if body_media_type(request) == "application/json":
            user_id, user_agent, ip_address = string_fields(
                request.body, "admin.CreateSessionTokenDto", ["user_id", "user_agent", "ip_address"]
            )
        wrong: list[str] = []
        if not user_id:
            wrong.append("user_id is a required field")
        elif not _UUID.fullmatch(user_id):
            wrong.append("user_id must be a valid uuid")
        if ip_address and not _is_ip_address(ip_address):
            wrong.append("ip_address must be a valid ip address (v4 or v6)")
        if wrong:
            raise HTTPError(400, " and ".join(wrong))
        user = self._known_user(user_id, "user not found")
        session = self._service.mint_session(user, user_agent=user_agent or None, ip_address=ip_address or None)
        return Answer(200, {"session_token": session.token})

    def _session_of(self, names: tuple[str, ...]) -> Session:
        wrong = [] if _UUID.fullmatch(names[0]) else ["UserID must be a valid uuid"]
        if not _UUID4.fullmatch(names[1]):
            wrong.append("SessionID must be a valid uuid4")
        if wrong:
            raise HTTPError(400, f"code=400, message={' and '.join(wrong)}")
        user = self._known_user(names[0], None)
        session = self._service.database.session(names[1])
        if session is None or session.user_id != user.id:
            raise HTTPError(404)
        return session

    def _list_sessions(self, request: Request, names: tuple[str, ...]) -> Answer:
        if not _UUID.fullmatch(names[0]):
            raise HTTPError(400, "code=400, message=UserID must be a valid uuid")
        user = self._known_user(names[0], None)
        return Answer(200, [session.as_json() for session in self._service.database.active_sessions(user.id)])

    def _get_session(self, request: Request, names: tuple[str, ...]) -> Answer:
        return Answer(200, self._session_of(names).as_json())

    def _delete_session(self, request: Request, names: tuple[str, ...]) -> Answer:
        self._service.database.delete_session(self._session_of(names).id)
        return no_content()

    # What only the stand-in has

    def _user_in(self, options: dict[str, Any]) -> User | None:
        """The user that a request to the stand-in names by `user_id`, if it names one."""
        user_id = _option(options, "user_id", str, None)
        return None if user_id is None else self._known_user(user_id, "user not found")

    def _mint_session(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("user_id", "email", "username", "amr", "lifespan"))
        amr = _option(options, "amr", list, [])
        if not all(isinstance(method, str) for method in amr):
            raise HTTPError(400, "amr is a list of strings")
        return _minted(
            self._service.mint_session(
                self._user_in(options),
                email=_option(options, "email", str, None),
                username=_option(options, "username", str, None),
                amr=amr,
                lifespan=_option(options, "lifespan", float, None),
            )
        )

    def _mint_expired(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("user_id", "seconds_ago"))
        return _minted(self._service.mint_expired(self._user_in(options), _option(options, "seconds_ago", float, 60)))

    def _mint_forged(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("user_id", "how"))
        try:
            return _minted(self._service.mint_forged(self._user_in(options), _option(options, "how", str, "signature")))
        except ValueError as reason:
            raise HTTPError(400, str(reason)) from None

    def _mint_webhook(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("user_id", "event"))
        event = _option(options, "event", str, "session.create.admin")
        token = self._service.mint_webhook_token(event, self._user_in(options))
        return Answer(200, {"token": token, "event": event})

    def _show_database(self, request: Request, names: tuple[str, ...]) -> Answer:
        return Answer(200, {"down": self._service.database_down})

    def _switch_database(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("down",))
        if "down" not in options:
            raise HTTPError(400, "down is a required field")
        self._service.database_down = _option(options, "down", bool, False)
        return self._show_database(request, names)

    def _advance_clock(self, request: Request, names: tuple[str, ...]) -> Answer:
        options = _options(request, ("advance_seconds",))
        self._service.advance_clock(_option(options, "advance_seconds", float, 0.0))
        return Answer(200, {"now": self._service.clock.now() // NANOSECONDS})

    def _show_counts(self, request: Request, names: tuple[str, ...]) -> Answer:
        return Answer(200, self._counts())


def _minted(session: MintedSession) -> Answer:
    return Answer(200, {"session_token": session.token, "session_id": session.session_id, "user_id": session.user_id})


def _members(request: Request, go_type: str) -> list[Member]:
    if body_media_type(request) != "application/json":
        return []
    return decode_object(request.body, go_type)


def _read_string(body: bytes, member: Member, field: str, go_type: str) -> str:
    if member.value.kind != "string":
        raise type_error(go_type, member.value, field)
    return cast(str, decode(body, member.value))


def _read_emails(body: bytes, member: Member) -> list[Email]:
    if member.value.kind != "array":
        raise type_error("[]admin.CreateEmail", member.value, "emails")
    emails: list[Email] = []
    for item in _decode_nested(body, member):
        if not isinstance(item, dict):
            raise type_error("admin.CreateEmail", member.value, "emails")
        fields: dict[str, Any] = {"address": "", "is_primary": False, "is_verified": False}
        for name, nothing in list(fields.items()):
            given = item.get(name)
            if given is None:
                continue
            if type(given) is not type(nothing):
                raise type_error("string" if name == "address" else "bool", member.value, f"emails.{name}")
            fields[name] = given
        emails.append(Email(**fields))
    return emails


def _decode_nested(body: bytes, member: Member) -> list[Any]:
    try:
        return cast(list[Any], decode(body, member.value))
    except RecursionError:
        raise HTTPError(400, "nested too deeply for the stand-in") from None


def _read_uuid(text: str) -> str:
    try:
        return parse_uuid(text)
    except ValueError as reason:
        raise HTTPError(400, str(reason)) from None


def _read_time(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * NANOSECONDS
    except (ValueError, OverflowError):
        raise HTTPError(400, f"parsing time {json.dumps(text)}: not a time as RFC 3339 writes it") from None


def _path_uuid(text: str) -> str:
    try:
        return parse_uuid(text)
    except ValueError:
        raise HTTPError(400, "failed to parse userId as uuid") from None


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _options(request: Request, known: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object in a request to the stand-in itself; no body means no options."""
    if not request.body.strip():
        return {}
    try:
        options = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise HTTPError(400, "the body is not JSON") from None
    if not isinstance(options, dict):
        raise HTTPError(400, "the body is not a JSON object")
    unknown = sorted(set(options) - set(known))
    if unknown:  # A mistyped option would otherwise silently do nothing.
        raise HTTPError(400, f"unknown: {', '.join(unknown)}; known are: {', '.join(known)}")
    return options


def _option(options: dict[str, Any], name: str, kind: type, missing: Any) -> Any:
    """One option of the wanted type; numbers may be written without a fraction."""
    value = options.get(name)
    if value is None:
        return missing
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e12 else value
    if not isinstance(value, kind):
        words = {str: "a string", float: "a number", bool: "true or false", list: "a list"}
        raise HTTPError(400, f"{name} is {words[kind]}")
    return value
