"""Forks, multiprocessing, the interpreter's end, and servers with workers."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from answering import AnsweringServer

# --- Fork -------------------------------------------------------------------------------------------------------------

FORK = """
    import asyncio, os, sys, threading
    import hanko

    url = sys.argv[1]
    os.environ["HANKO_API_URL"] = url
    client, async_client = hanko.Client(url), hanko.AsyncClient(url)
    used_later = hanko.Client(url)

    def ask_everything():
        assert client.validate("token").user_id
        assert used_later.validate("token").user_id
        assert hanko.validate("token") is True
        assert hanko.validate("no") is False
        assert asyncio.run(hanko.validate_async("token")) is True
        assert asyncio.run(async_client.validate("token")).user_id

    stopping = threading.Event()

    def keep_busy():
        while not stopping.is_set():
            ask_everything()

    ask_everything()
    threads = [threading.Thread(target=keep_busy) for _ in range(4)]
    [thread.start() for thread in threads]
    children = []
    for number in range(20):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                ask_everything()
                assert client.statistics().results["HANKO_OK"] == 1, client.statistics()
                assert async_client.statistics().results["HANKO_OK"] == 1
                client.close()
                asyncio.run(async_client.aclose())
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    ask_everything()
    stopping.set()
    [thread.join() for thread in threads]
    client.close()
    asyncio.run(async_client.aclose())
"""


def test_fork_while_other_threads_ask(run_program, serve_in_a_process: Callable[[], str]) -> None:
    run_program(FORK, serve_in_a_process())


def test_a_child_does_not_touch_what_the_loop_of_its_parent_watches(run_program, accepting: AnsweringServer) -> None:
    program = """
        import asyncio, os, sys
        import hanko

        async def program():
            client = hanko.AsyncClient(sys.argv[1])
            await client.validate("token")
            pending = asyncio.ensure_future(client.validate("token"))
            await asyncio.sleep(0)
            child = os.fork()
            if child == 0:
                # The client in the child forgets its queue; the loop's selector is one with the parent's.
                del client
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert (await pending).user_id
            for _ in range(10):
                await client.validate("token")
            await client.aclose()

        asyncio.run(program())
    """
    run_program(program, accepting.url)


def test_closing_in_a_child_does_not_wait_for_calls_of_the_parent(run_program, hanging: AnsweringServer) -> None:
    program = """
        import os, sys, threading, time
        import hanko

        client = hanko.Client(sys.argv[1], timeout=2, max_retries=0)
        def ask():
            try:
                client.validate("token")
            except hanko.AuthenticationTimeout:
                pass
        thread = threading.Thread(target=ask)
        thread.start()
        while client.statistics().in_flight == 0:
            time.sleep(0.005)
        child = os.fork()
        if child == 0:
            client.close()
            os._exit(0)
        # The call of the parent still runs when the child has gone.
        assert os.waitpid(child, 0)[1] == 0 and thread.is_alive()
        thread.join()
    """
    run_program(program, hanging.url)


MULTIPROCESSING = '''
"""Imported by the children as well."""
import asyncio, multiprocessing, pickle, sys
import hanko

client = None

def ask(token):
    global client
    if client is None:
        client = hanko.Client(sys.argv[1])
    try:
        return client.validate(token)
    except hanko.InvalidToken as error:
        return error

def fail(token):
    client = hanko.Client(sys.argv[1])
    client.validate(token)

async def ask_async(token):
    async with hanko.AsyncClient(sys.argv[1]) as client:
        return await client.validate(token)

def run_async(token):
    return asyncio.run(ask_async(token))

if __name__ == "__main__":
    if sys.argv[2] == "fork":
        ask("before")
        run_async("before")
    context = multiprocessing.get_context(sys.argv[2])
    with context.Pool(3) as pool:
        results = pool.map(ask, ["token", "no"] * 10, 1)
        assert [type(result) for result in results] == [hanko.Session, hanko.InvalidToken] * 10, results
        assert results[0].claims["session_id"] == results[0].session_id
        assert str(results[1]) == "Hanko rejected the session token"
        assert [session.user_id for session in pool.map(run_async, ["token"] * 6, 1)]
        try:
            pool.apply(fail, ["no"])
            raise AssertionError("no exception")
        except hanko.InvalidToken as error:
            assert error.status == hanko.Status.INVALID_TOKEN and error.client_message == "Invalid token"
        try:
            pool.apply(print, [hanko.Client(sys.argv[1])])
            raise AssertionError("no exception")
        except TypeError as error:
            assert "make one in each process" in str(error), error
        pool.close()
        pool.join()
    print("done")
'''


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, tmp_path: Path, serve_in_a_process: Callable[[], str]) -> None:
    program = tmp_path / "program.py"
    program.write_text(MULTIPROCESSING, encoding="utf-8")
    command = [sys.executable, str(program), serve_in_a_process(), method]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (finished.returncode, finished.stdout) == (0, "done\n"), finished.stderr
    assert finished.stderr == ""


# --- The interpreter's end --------------------------------------------------------------------------------------------

BEGIN = """
    import asyncio, atexit, os, sys, threading, time
    import hanko
    url = sys.argv[1]

    def ask(client=None):
        try:
            (client or hanko.Client(url)).validate("token")
        except hanko.HankoError:
            pass

    def begin(count, client=None):
        client = client or hanko.Client(url, timeout=30)
        for _ in range(count):
            threading.Thread(target=ask, args=(client,), daemon=True).start()
        while client.statistics().in_flight < count:
            time.sleep(0.005)
        return client
"""
ENDINGS = {
    "with calls in daemon threads": "begin(5)",
    "with a global client": "client = begin(3)",
    "with a client that is closed at exit": """
        client = hanko.Client(url)
        atexit.register(client.close)
    """,
    "with a call at exit": """
        atexit.register(ask, hanko.Client(url, timeout=0.2, max_retries=0))
    """,
    "by sys.exit in a call": """
        begin(2)
        sys.exit(0)
    """,
    "with an async client that was never closed": """
        client = hanko.AsyncClient(url, timeout=0.2, max_retries=0)
        async def program():
            try:
                await client.validate("token")
            except hanko.AuthenticationTimeout:
                pass
        asyncio.run(program())
    """,
    "with tasks that wait": """
        client = hanko.AsyncClient(url, timeout=30)
        async def program():
            for _ in range(5):
                tasks.append(asyncio.ensure_future(client.validate("token")))
            await asyncio.sleep(0.2)
        tasks = []
        asyncio.run(program())
    """,
    "with a loop that is never closed": """
        client = hanko.AsyncClient(url, timeout=0.2, max_retries=0)
        loop = asyncio.new_event_loop()
        async def program():
            try:
                await client.validate("token")
            except hanko.AuthenticationTimeout:
                pass
        loop.run_until_complete(program())
    """,
    "with a loop in a daemon thread": """
        client = hanko.AsyncClient(url, timeout=30)
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        for _ in range(3):
            asyncio.run_coroutine_threadsafe(client.validate("token"), loop)
        while client.statistics().in_flight < 3:
            time.sleep(0.005)
    """,
    "with a client in a cycle": """
        class Holder:
            pass
        holder = Holder()
        holder.itself, holder.client, holder.other = holder, begin(1), hanko.AsyncClient(url)
        del holder
    """,
    "with the bool functions used": """
        os.environ["HANKO_API_URL"] = url
        os.environ["HANKO_TIMEOUT_MS"] = "200"
        assert hanko.validate("token") is False
        assert asyncio.run(hanko.validate_async("token")) is False
    """,
}


@pytest.mark.parametrize("how", ENDINGS)
def test_the_interpreter_ends(how: str, run_program, hanging: AnsweringServer) -> None:
    program = textwrap.dedent(BEGIN) + textwrap.dedent(ENDINGS[how]) + "\nprint('end')\n"
    if "sys.exit" in program:
        program = program.replace("sys.exit(0)", "print('end'); sys.exit(0)")
    began = time.monotonic()
    assert run_program(program, hanging.url).startswith("end")
    assert time.monotonic() - began < 20, "it waited for the calls"


def test_ctrl_c_during_a_call(tmp_path: Path, hanging: AnsweringServer) -> None:
    program = """
        import sys, hanko
        client = hanko.Client(sys.argv[1], timeout=3, max_retries=0)
        print("asking", flush=True)
        try:
            client.validate("token")
        except KeyboardInterrupt:
            client.close()
            print("interrupted")
    """
    command = [sys.executable, "-c", textwrap.dedent(program), hanging.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "asking\n"
        while not hanging.tokens:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"


# --- Servers ----------------------------------------------------------------------------------------------------------

WSGI = """
    import os
    import hanko
    client = hanko.Client()
    if os.environ.get("ASK_FIRST"):
        client.validate("first")  # before the workers are forked
    maker = os.getpid()

    def application(environ, start_response):
        try:
            if environ["PATH_INFO"] != "/free":
                client.authenticate(environ.get("HTTP_COOKIE"), environ.get("HTTP_AUTHORIZATION"))
            status = "200 OK"
        except hanko.InvalidToken:
            status = "401 Unauthorized"
        except hanko.NotChecked:
            status = "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain"), ("Worker", str(os.getpid())), ("Maker", str(maker))])
        return [b"body"]
"""
ASGI = """
    import os
    import hanko
    client = hanko.AsyncClient()

    async def application(scope, receive, send):
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        try:
            await client.authenticate(headers.get(b"cookie"), headers.get(b"authorization"))
            status = 200
        except hanko.InvalidToken:
            status = 401
        except hanko.NotChecked:
            status = 503
        worker = str(os.getpid()).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"worker", worker)]})
        await send({"type": "http.response.body", "body": b"body"})
"""


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server in a process of its own."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def get(self, path: str = "/", token: str = "", timeout: float = 30) -> tuple[int, dict[str, str]]:
        """Status and header of an answer."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def wait_until_it_answers(self) -> None:
        """Or fail, when it ends before."""
        for _ in range(600):
            assert self.process.poll() is None, "the server ended"
            try:
                self.get("/free")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server never answered")


ServeApplication = Callable[..., Server]


@pytest.fixture
def serve_application(tmp_path: Path) -> Iterator[ServeApplication]:
    """Run an application under a server's command line."""
    servers: list[Server] = []

    def start(application: str, command: list[str], **variables: str) -> Server:
        (tmp_path / "served.py").write_text(textwrap.dedent(application), encoding="utf-8")
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", *[part.replace("PORT", str(port)) for part in command]],
            cwd=tmp_path,
            env={**os.environ, **variables},
        )
        servers.append(Server(port, process))
        servers[-1].wait_until_it_answers()
        return servers[-1]

    yield start
    for server in servers:
        server.process.terminate()
        assert server.process.wait(30) in (0, -signal.SIGTERM)


def test_gunicorn_with_preload(serve_application: ServeApplication, accepting: AnsweringServer) -> None:
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    command = ["gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:PORT", "served:application"]
    server = serve_application(WSGI, command, HANKO_API_URL=accepting.url, ASK_FIRST="1")
    workers = set()
    makers = set()
    for _ in range(40):
        status, header = server.get(token="token")
        assert status == 200
        workers.add(header["worker"])
        makers.add(header["maker"])
    assert server.get(token="no")[0] == 401 and server.get()[0] == 401
    assert makers == {str(server.process.pid)}, "the client was not made before the fork"
    assert workers and not workers & makers


def test_gunicorn_with_gevent(serve_application: ServeApplication, hanging: AnsweringServer) -> None:
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    pytest.importorskip("gevent", reason="gevent is not installed")
    import threading

    command = ["gunicorn", "-k", "gevent", "--workers", "1", "--bind", "127.0.0.1:PORT", "served:application"]
    server = serve_application(WSGI, command, HANKO_API_URL=hanging.url)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(server.get(token="token")[0])) for _ in range(10)]
    for thread in threads:
        thread.start()
    while len(hanging.tokens) < 10:
        time.sleep(0.01)
    # Ten validations hang, and the one worker answers all the same.
    for _ in range(5):
        assert server.get("/free", timeout=5)[0] == 200
    assert answers == []
    hanging.stopping.set()
    for thread in threads:
        thread.join()
    assert answers == [401] * 10


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_uvicorn_with_workers(loop: str, serve_application: ServeApplication, accepting: AnsweringServer) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    pytest.importorskip(loop, reason=f"{loop} is not installed")
    command = ["uvicorn", "--workers", "2", "--loop", loop, "--port", "PORT", "--log-level", "warning"]
    server = serve_application(ASGI, [*command, "served:application"], HANKO_API_URL=accepting.url)
    for _ in range(20):
        assert server.get(token="token")[0] == 200
        assert server.get(token="no")[0] == 401
