"""Blocking methods where gevent or eventlet has patched `socket`: other greenlets run."""

from __future__ import annotations

import importlib.util
import textwrap

import pytest
from answering import AnsweringServer

GEVENT = """
    from gevent import monkey
    monkey.patch_all()
    import gevent, sys, time
    import hanko
    spawn, sleep, kind = gevent.spawn, gevent.sleep, "gevent"
    def wait(greenlets):
        gevent.joinall(greenlets, raise_error=True)
        return [greenlet.value for greenlet in greenlets]
    Timeout = gevent.Timeout
    def kill(greenlet):
        greenlet.kill()
"""
EVENTLET = """
    import warnings
    warnings.simplefilter("ignore")
    import eventlet
    eventlet.monkey_patch()
    import sys, time
    import hanko
    spawn, sleep, kind = eventlet.spawn, eventlet.sleep, "eventlet"
    def wait(greenlets):
        return [greenlet.wait() for greenlet in greenlets]
    Timeout = eventlet.Timeout
    def kill(greenlet):
        greenlet.kill()
"""
COMMON = """
    url = sys.argv[1]

    def outcome(call, *arguments):
        try:
            return call(*arguments)
        except hanko.HankoError as error:
            return type(error).__name__

    class Ticker:
        '''Counts how often another greenlet gets its turn.'''
        def __init__(self):
            self.ticks = 0
            self.longest = 0
            self.greenlet = spawn(self.run)
        def run(self):
            last = time.monotonic()
            while True:
                sleep(0.005)
                self.ticks += 1
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()
"""

both = pytest.mark.parametrize("library", ["gevent", "eventlet"])


@pytest.fixture
def run_patched(run_program, library: str):
    """Run a program under one of the two."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    begin = GEVENT if library == "gevent" else EVENTLET

    def run(program: str, *arguments: str) -> str:
        return run_program("".join(map(textwrap.dedent, (begin, COMMON, program))), *arguments)

    return run


@both
def test_ten_validations_that_hang_stop_nobody(run_patched, hanging: AnsweringServer) -> None:
    program = """
        client = hanko.Client(url, timeout=2, max_retries=0)
        ticker = Ticker()
        sleep(0.05)
        greenlets = [spawn(outcome, client.validate, "token") for _ in range(10)]
        began = time.monotonic()
        assert wait(greenlets) == ["AuthenticationTimeout"] * 10
        took = time.monotonic() - began
        assert 1.5 < took < 10, took   # one after another would be twenty seconds
        assert ticker.ticks > 50 and ticker.longest < 1, (ticker.ticks, ticker.longest)
        client.close()
    """
    run_patched(program, hanging.url)


@both
def test_everything_a_client_can(run_patched, accepting: AnsweringServer) -> None:
    program = """
        import os
        os.environ["HANKO_API_URL"] = url
        client = hanko.Client()
        assert client.validate("token").user_id
        assert client.authenticate("hanko=token").session_id
        assert outcome(client.validate, "no") == "InvalidToken"
        assert outcome(client.validate, None) == "NoToken"
        assert outcome(client.validate, "a\\0b") == "InvalidToken"
        assert outcome(client.authenticate, "a=b", "") == "NoToken"
        assert outcome(client.check) == "Misconfigured"   # a test double
        assert hanko.validate("token") is True and hanko.validate("no") is False
        assert hanko.validate_session_token("no") == (False, "Invalid token")
        results = wait([spawn(outcome, client.validate, ["token", "no"][n % 2]) for n in range(300)])
        assert [getattr(result, "user_id", result) == "InvalidToken" for result in results] == [False, True] * 150
        assert client.statistics().in_flight == 0
        (queue,) = client._hub_queues.values()
        assert queue._watch is None, "the descriptor is watched though nobody waits"
        client.close()
        try:
            client.validate("token")
        except RuntimeError:
            print("closed")
    """
    assert run_patched(program, accepting.url) == "closed"


@both
def test_a_timeout_of_the_greenlet_cancels(run_patched, hanging: AnsweringServer) -> None:
    program = """
        client = hanko.Client(url, timeout=30)
        def impatient():
            with Timeout(0.2, False):
                client.validate("token")
                return "answered"
            return "gave up"
        assert wait([spawn(impatient) for _ in range(3)]) == ["gave up"] * 3
        killed = spawn(client.validate, "token")
        sleep(0.1)
        kill(killed)
        for _ in range(1000):
            if client.statistics().in_flight == 0:
                break
            sleep(0.01)
        assert client.statistics().results["HANKO_CANCELLED"] == 4, client.statistics()
        client.close()
    """
    run_patched(program, hanging.url)


@both
def test_close_waits_for_calls(run_patched, hanging: AnsweringServer) -> None:
    program = """
        client = hanko.Client(url, timeout=1, max_retries=0)
        order = []
        def ask():
            order.append(outcome(client.validate, "token"))
        def close():
            client.close()
            order.append("closed")
        asking = spawn(ask)
        sleep(0.1)
        closing = spawn(close)
        sleep(0.1)
        assert order == []
        try:
            client.validate("late")
        except RuntimeError:
            order.append("refused")
        wait([asking, closing])
        assert order == ["refused", "AuthenticationTimeout", "closed"], order
    """
    run_patched(program, hanging.url)


@both
def test_real_threads_have_queues_of_their_own(run_patched, accepting: AnsweringServer) -> None:
    program = """
        client = hanko.Client(url)
        client.validate("token")
        if kind == "gevent":
            pool = gevent.get_hub().threadpool
            results = [pool.spawn(outcome, client.validate, "token") for _ in range(4)]
            assert all(result.get().user_id for result in results)
        else:
            from eventlet import tpool
            for _ in range(4):
                assert tpool.execute(outcome, client.validate, "token").user_id
        assert len(client._hub_queues) > 1
        assert client.validate("token").user_id
        client.close()
    """
    run_patched(program, accepting.url)


@both
def test_fork(run_patched, accepting: AnsweringServer) -> None:
    program = """
        import os
        client = hanko.Client(url)
        ticker = Ticker()
        wait([spawn(client.validate, "token") for _ in range(5)])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if kind == "eventlet":
                    from eventlet import hubs
                    hubs.use_hub()
                assert client.validate("token").user_id
                client.close()
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        wait([spawn(client.validate, "token") for _ in range(5)])
        client.close()
    """
    run_patched(program, accepting.url)


def test_a_fork_of_gevent_with_a_call_under_way(run_program, accepting: AnsweringServer) -> None:
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    accepting.answer = lambda token: __import__("time").sleep(0.5) or {"is_valid": False}
    program = """
        import os
        client = hanko.Client(url)
        waiting = spawn(outcome, client.validate, "token")
        sleep(0.1)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                # Whoever waited in the parent waits for nothing here.
                assert wait([waiting]) == ["Cancelled"]
                assert outcome(client.validate, "token") == "InvalidToken"
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                os._exit(status)
        assert wait([waiting]) == ["InvalidToken"]
        assert os.waitpid(child, 0)[1] == 0
        client.close()
    """
    run_program("".join(map(textwrap.dedent, (GEVENT, COMMON, program))), accepting.url)


@both
def test_nothing_is_left_for_the_garbage_collector(run_patched, accepting: AnsweringServer) -> None:
    program = """
        import gc, weakref
        gc.collect()
        gc.disable()
        client = hanko.Client(url)
        wait([spawn(client.validate, "token") for _ in range(5)])
        outcome(client.validate, "no")
        (queue,) = client._hub_queues.values()
        references = [weakref.ref(client), weakref.ref(client._native), weakref.ref(queue), weakref.ref(queue._queue)]
        del client, queue
        assert [reference() for reference in references] == [None] * 4
    """
    run_patched(program, accepting.url)


def test_without_patching_a_call_blocks_its_thread(run_program, accepting: AnsweringServer) -> None:
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    program = """
        import sys
        import gevent
        import hanko
        client = hanko.Client(sys.argv[1])
        assert client.validate("token").user_id
        assert client._hub_queues == {}
        from gevent import monkey
        monkey.patch_socket()
        assert client.validate("token").user_id   # patched after the client was made
        assert len(client._hub_queues) == 1
    """
    run_program(program, accepting.url)
