"""What the library writes to standard error: few lines, own words, no secrets."""

from __future__ import annotations

import pytest

import child
from fault_server import answers, refused_port
from messages import NO, SERVER_MARKER, Session, error_body, response

LEVELS = ["off", "error", "warning", "info", "debug"]

SECRETS = """
TOKENS = %r
for token in TOKENS:
    library.ask(token)
report("done")
"""


def lines_of(result):
    """The lines of standard error; the child itself writes none."""
    assert result.returncode == 0, result.stderr
    return [line for line in result.stderr.splitlines() if line.strip()]


@pytest.fixture
def failing(serve, monkeypatch):
    """A server that gives a status without end; the log is at its default."""
    monkeypatch.delenv("HANKO_LOG")

    def start(*statuses: int):
        return serve(answers(lambda request: response(b"", status=int(request.token.rsplit("-", 1)[1]))))

    return start


ASK_STATUSES = """
start = time.monotonic()
for status in STATUSES:
    library.ask(b"a-token-for-%d" % status)
report(time.monotonic() - start)
"""


def test_off_is_silent(failing, monkeypatch):
    monkeypatch.setenv("HANKO_LOG", "off")
    failing()
    result = child.run("STATUSES = [503, 500, 404, 400, 200, 201]" + ASK_STATUSES)
    assert result.stderr == ""


def test_off_is_silent_about_settings(monkeypatch):
    monkeypatch.setenv("HANKO_LOG", "off")
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    assert child.run('report(library.ask(b"test-token").status)').stderr == ""


@pytest.mark.parametrize("level", [None, "", "error", "warning", "info", "debug"])
@pytest.mark.parametrize("status", [503, 404, 201])
def test_failures_are_logged(failing, monkeypatch, level, status):
    if level is not None:
        monkeypatch.setenv("HANKO_LOG", level)
    failing()
    result = child.run(f"STATUSES = [{status}]" + ASK_STATUSES)
    assert any(str(status) in line for line in lines_of(result)), result.stderr


def test_missing_setting_is_logged(monkeypatch):
    monkeypatch.delenv("HANKO_LOG")
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    result = child.run('report(library.ask(b"test-token").status)')
    assert any("HANKO_API_URL" in line for line in lines_of(result)), result.stderr


def test_nobody_listening_is_logged(monkeypatch):
    monkeypatch.delenv("HANKO_LOG")
    monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    assert lines_of(child.run('report(library.ask(b"test-token").status)'))


def test_success_is_not_an_error(serve, monkeypatch):
    monkeypatch.delenv("HANKO_LOG")
    session = Session()
    serve(answers(response(session.yes())))
    assert lines_of(child.run(f"report(library.ask({session.token()!r}).status)")) == []


def test_audience_that_nobody_has_is_an_error(serve, monkeypatch):
    monkeypatch.setenv("HANKO_LOG", "error")
    monkeypatch.setenv("HANKO_AUDIENCE", "one.example,two.example")
    session = Session()
    serve(answers(response(session.yes())))
    lines = lines_of(child.run(f"report(library.ask({session.token()!r}).status)"))
    assert any("one.example" in line and "two.example" in line for line in lines), lines


@pytest.mark.parametrize("level", ["error", "warning"])
@pytest.mark.parametrize("status", [503, 404])
def test_at_most_one_line_a_second(failing, monkeypatch, level, status):
    monkeypatch.setenv("HANKO_LOG", level)
    server = failing()
    result = child.run(f"STATUSES = [{status}] * 300" + ASK_STATUSES)
    # After ten failures the circuit breaker answers for the server, with lines of its own.
    assert len(server.requests) >= 10
    lines = lines_of(result)
    lines = [line for line in lines if str(status) in line]
    assert 1 <= len(lines) <= result.report + 2, f"{len(lines)} lines in {result.report:.1f} s"


def test_at_most_one_line_a_second_from_many_threads(failing):
    server = failing()
    code = """
start = time.monotonic()
def work():
    for _ in range(30): library.ask(b"a-token-for-503")
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
report(time.monotonic() - start)
"""
    result = child.run(code)
    assert len(server.requests) >= 10
    lines = [line for line in lines_of(result) if "503" in line]
    assert 1 <= len(lines) <= result.report + 2, f"{len(lines)} lines in {result.report:.1f} s"


def test_each_code_has_its_own_line(failing):
    failing()
    result = child.run("STATUSES = [503, 500, 404, 403, 201] * 40" + ASK_STATUSES)
    lines = lines_of(result)
    for status in (503, 500, 404, 403, 201):
        count = sum(str(status) in line for line in lines)
        assert 1 <= count <= result.report + 2, f"{count} lines about {status} in {result.report:.1f} s"


def test_a_line_again_after_a_second(failing):
    failing()
    code = """
for _ in range(2):
    library.ask(b"a-token-for-503")
    time.sleep(1.3)
report(None)
"""
    assert len(lines_of(child.run(code))) == 2


def test_changed_level(failing):
    failing()
    code = """
os.environ["HANKO_LOG"] = "off"
library.ask(b"a-token-for-503")
os.environ["HANKO_LOG"] = "error"
library.ask(b"a-token-for-500")
os.environ["HANKO_LOG"] = "off"
library.ask(b"a-token-for-502")
report(None)
"""
    lines = lines_of(child.run(code))
    assert lines and all("500" in line for line in lines)


@pytest.mark.parametrize("level", LEVELS)
def test_no_token_and_no_words_of_the_server(serve, monkeypatch, level):
    """The server repeats the token and its own words in every place it has."""
    monkeypatch.setenv("HANKO_LOG", level)
    tokens = []
    for status in (200, 200, 302, 400, 400, 401, 404, 413, 429, 500, 503, 999):
        tokens.append(Session().token(number=status))
    replies = {}
    bodies = [
        lambda token: b'{"is_valid":"%s %s"}' % (SERVER_MARKER.encode(), token),
        lambda token: NO[:-3] + b',"claims":{"x":"%s"}}' % token,
        lambda token: b"<html>" + token,
        lambda token: error_body(400, f"failed to parse token claims: {token.decode()}"),
    ] + [lambda token: error_body(400, f"{SERVER_MARKER} {token.decode()}")] * 8
    for token, body, status in zip(tokens, bodies, (200, 200, 302, 400, 400, 401, 404, 413, 429, 500, 503, 999)):
        text = token.decode()
        headers = [
            ("Location", f"http://{SERVER_MARKER}.example/{text}"),
            ("X-Echo", text),
            ("Set-Cookie", f"hanko={text}"),
            ("Retry-After", text),
            ("WWW-Authenticate", f'Bearer error="{text}"'),
        ]
        replies[text] = response(body(token), status=status, headers=headers)
    serve(answers(lambda request: replies[request.token]))
    result = child.run(SECRETS % (tokens,))
    output = result.stdout + result.stderr
    for token in tokens:
        for part in [token.decode()] + token.decode().split("."):
            assert part not in output
    assert SERVER_MARKER not in output.lower()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", ["nobody listens", "not HTTP", "reset", "refused tokens", "password in the URL"])
def test_no_secret_when_nothing_was_answered(serve, monkeypatch, level, case):
    monkeypatch.setenv("HANKO_LOG", level)
    token = Session().token()
    tokens = [token]
    if case == "nobody listens":
        monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    elif case == "not HTTP":
        serve(
            lambda connection: (
                connection.read_request(),
                connection.send(SERVER_MARKER.encode() + token),
                connection.close(),
            )
        )
    elif case == "reset":
        serve(lambda connection: (connection.read_request(), connection.reset()))
    elif case == "refused tokens":
        serve(answers(response(NO)))
        tokens = [token + b"\xff", token * 600]
    else:
        monkeypatch.setenv("HANKO_API_URL", "https://ada:a-secret-word@127.0.0.1/")
    result = child.run(SECRETS % (tokens,))
    output = result.stdout + result.stderr
    for part in [token.decode()] + token.decode().split("."):
        assert part not in output
    assert SERVER_MARKER not in output.lower()
    assert "a-secret-word" not in output


@pytest.mark.parametrize("level", ["info", "debug"])
def test_lines_are_whole_and_printable(failing, monkeypatch, level):
    monkeypatch.setenv("HANKO_LOG", level)
    failing()
    result = child.run("STATUSES = [503, 404, 200, 201]" + ASK_STATUSES)
    assert result.stderr == "" or result.stderr.endswith("\n")
    for line in result.stderr.splitlines():
        assert line.isprintable(), repr(line)


CLOSED_PIPE = """
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 2)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
before = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
if BLOCKED: os.kill(os.getpid(), signal.SIGPIPE)
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
for status in [503, 404, 201]:
    library.ask(b"a-token-for-%d" % status)
same = signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
pending = signal.SIGPIPE in signal.sigpending()
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
report([same, pending])
"""


@pytest.mark.parametrize("own", [False, True], ids=["none of its own", "one of its own waiting"])
def test_a_closed_pipe_raises_no_signal(failing, own):
    """Nobody reads standard error any more: no SIGPIPE from here, and one of the host's own is left to it."""
    failing()
    result = child.run(f"BLOCKED = {'{signal.SIGPIPE}' if own else 'set()'}" + CLOSED_PIPE)
    assert result.returncode == 0
    assert result.report == [True, own]


HIDDEN_KEY_SET = """
def ask(name, count):
    for number in range(count):
        library.ask(b"%s-%d" % (name, number))
ask(b"gateway", 2)  # the second's line about a 403
ask(b"garbage", 20)
time.sleep(1.1)
ask(b"garbage", 20)
time.sleep(1.1)
ask(b"garbage", 20)
if os.fork() == 0:
    ask(b"garbage", 20)
    os._exit(0)
os.wait()
report("done")
"""


def test_a_hidden_key_set_is_told_once_by_each_process(serve, monkeypatch):
    """At the default level, and later where the limit of lines holds it back at first."""
    monkeypatch.delenv("HANKO_LOG")
    forbidden = response(b"", status=403)

    def reply(request):
        return response(NO) if request.body and request.token.startswith("garbage") else forbidden

    serve(answers(reply), key_set=None)
    lines = lines_of(child.run(HIDDEN_KEY_SET))
    hidden = [line for line in lines if "GET /.well-known/jwks.json was answered with 403" in line]
    assert len(hidden) == 2, lines
    assert all(line.startswith("libhanko: error: HANKO_MISCONFIGURED: ") for line in hidden)
    assert len(lines) == 3, "the gateway's own 403 once"


def test_no_line_where_rejections_are_not_confirmed(serve, monkeypatch):
    monkeypatch.delenv("HANKO_LOG")
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "0")
    server = serve(answers(response(NO)), key_set=response(b"", status=403))
    assert lines_of(child.run("for _ in range(20): library.ask(b'garbage')\nreport(0)")) == []
    assert not server.key_set_requests
