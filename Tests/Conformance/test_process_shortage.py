"""What runs out: descriptors, memory, thread keys. A status and a text, nothing left behind, well again afterwards."""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess

import pytest

import child
from fault_server import answers
from library import INVALID_ARGUMENT, INVALID_TOKEN, MISCONFIGURED, NO_TOKEN, OK, PROTOCOL_ERROR, UNAVAILABLE
from messages import BARE_YES, NO, Session, compact, mint, response
from resilience import FastServer, compile_program, run_program

YES = response(BARE_YES)
NOT_CALLED = -9
# More calls of one function than a client's whole life has.
MOST_CALLS = 400


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """The preloaded object whose n-th call fails."""
    return compile_program("failing", tmp_path_factory.mktemp("failing"), shared=True)


@pytest.fixture
def fast_server(tmp_path):
    """A Hanko that answers in microseconds."""
    server = FastServer(compile_program("fast_server", tmp_path))
    yield server
    server.stop()


@pytest.fixture
def run_shortage(library, fast_server, failing, tmp_path):
    """Run the life of a client with one failing call; gives how the process ended and what it reported."""
    program = compile_program("shortage", tmp_path, library=library.path)
    environment = {
        **os.environ,
        "TEST_URL": fast_server.url,
        "HANKO_API_URL": fast_server.url,
        "HANKO_LOG": "off",
        "LD_PRELOAD": str(failing),
    }

    def run(function, number, when):
        command = [str(program), function, str(number), when]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    return run


def every_number(run_shortage, function, when):
    """The outcomes for every n until the call is not reached any more."""
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        for start in range(1, MOST_CALLS, 8):
            numbers = range(start, start + 8)
            batch = list(executor.map(lambda number: run_shortage(function, number, when), numbers))
            outcomes += list(zip(numbers, batch))
            if any(found is not None and found["hits"] == 0 for _, found, _ in batch):
                return outcomes
            assert all(returncode != 99 for returncode, _, _ in batch), batch
    raise AssertionError(f"{function} is called more than {MOST_CALLS} times")


def problems(number, found):
    """What is wrong with one outcome, as text; empty when nothing is."""
    wrong = []
    could_not = {OK, UNAVAILABLE, MISCONFIGURED, NOT_CALLED}
    for name in ("made", "yes", "authenticated", "plain"):
        if found[name] not in could_not:
            wrong.append(f"{name}: {found[name]}")
    if found["no"] not in {INVALID_TOKEN, UNAVAILABLE, MISCONFIGURED, NOT_CALLED}:
        wrong.append(f"no: {found['no']}")
    if found["again"] not in (1, NOT_CALLED):
        wrong.append("the same client is not well afterwards")
    if found["well"] != 1:
        wrong.append("a new client is not well afterwards")
    if found["descriptors"] != 0:
        wrong.append(f"{found['descriptors']} descriptors left")
    if found["leaked"] != 0:
        wrong.append(f"{found['leaked']} allocations left")
    return [f"call {number}: {', '.join(wrong)}: {found}"] if wrong else []


FUNCTIONS = {
    "curl_easy_init": "first later",
    "curl_easy_setopt": "first later",
    "curl_easy_send": "first later",
    "curl_easy_recv": "first later",
    "curl_url": "first later",
    "curl_url_set": "first later",
    "curl_url_get": "first later",
    "curl_easy_getinfo": "later",
    "curl_global_init": "first",
    "socket": "first later",
    "pthread_key_create": "first",
    "pthread_setspecific": "first",
    "__register_atfork": "first",
    "__cxa_atexit": "first",
    "mmap": "first",
    "madvise": "first",
}
CASES = [(function, when) for function, whens in FUNCTIONS.items() for when in whens.split()]


@pytest.mark.parametrize(("function", "when"), CASES)
def test_every_call_may_fail(run_shortage, function, when):
    """For every n until the call succeeds."""
    outcomes = every_number(run_shortage, function, when)
    wrong, reached, weakened = [], 0, 0
    for number, (returncode, found, stderr) in outcomes:
        if returncode != 0 or found is None:
            wrong.append(f"call {number}: ended with {returncode} {stderr}")
            continue
        reached += found["hits"]
        values = [found[name] for name in ("made", "yes", "authenticated", "no", "plain")]
        weakened += found["hits"] and values != [OK, OK, OK, INVALID_TOKEN, OK]
        wrong += problems(number, found)
    assert not wrong, "\n".join(wrong)
    assert reached > 0, f"the library never calls {function}"
    print(f"{function} {when}: {reached} calls failed, {weakened} of them were felt")


@pytest.mark.parametrize("function", ["malloc", "posix_memalign"])
def test_failing_allocations(run_shortage, function):
    """The library's own buffers give a status; where Swift allocates an object, a reserve serves it."""
    wrong, reached = [], 0
    for number, (returncode, found, stderr) in every_number(run_shortage, function, "later"):
        if returncode != 0 or found is None:
            wrong.append(f"call {number}: ended with {returncode} {stderr}")
        else:
            reached += found["hits"]
            wrong += problems(number, found)
    print(f"{function}: {reached} failed")
    assert not wrong, "\n".join(wrong)
    assert reached > 0


# The status with memory, and those that are right once it is known that there is none: what asks nobody may still answer.
WITHOUT_MEMORY = {
    "validate": (OK, {UNAVAILABLE}),
    "check": (OK, {UNAVAILABLE}),
    "refuse": (NO_TOKEN, {NO_TOKEN, UNAVAILABLE}),
    "refuse_headers": (NO_TOKEN, {NO_TOKEN, UNAVAILABLE}),
    "refuse_logged": (INVALID_TOKEN, {INVALID_TOKEN, UNAVAILABLE}),
    "statistics": (OK, {OK, UNAVAILABLE}),
    "initialize": (OK, {OK, UNAVAILABLE}),
    "cookie_name": (OK, {UNAVAILABLE}),
    "audience": (OK, {UNAVAILABLE}),
    "ca_file": (OK, {UNAVAILABLE}),
    "wrong_timeout": (MISCONFIGURED, {UNAVAILABLE}),
    "load_environment": (OK, {UNAVAILABLE}),
    "client_of_environment": (OK, {UNAVAILABLE}),
    "extract_token": (OK, {UNAVAILABLE}),
}


@pytest.mark.parametrize("when", ["first", "later"])
@pytest.mark.parametrize("function", WITHOUT_MEMORY)
def test_without_any_memory(library, fast_server, failing, tls, tmp_path, function, when):
    """A call that meets the shortage may end well with what is in reserve. One that begins later is refused."""
    usual, without = WITHOUT_MEMORY[function]
    program = compile_program("no_memory", tmp_path, library=library.path)
    settings = {"TEST_URL": fast_server.url, "HANKO_API_URL": fast_server.url, "TEST_CA_FILE": tls.authority.certificate}
    (found,) = run_program(program, function, when, LD_PRELOAD=failing, **settings)
    assert found["meets"] in without | {usual}
    assert found["without"] in without
    assert found["again"] == usual


@pytest.mark.parametrize("which", ["statistics", "client", "queue", "extract", "validate", "config"])
def test_the_first_call_without_any_memory(library, failing, tmp_path, which):
    """Also one that only finds fault with its arguments ends with a status, and its process goes on."""
    program = compile_program("first_call", tmp_path, library=library.path)
    (found,) = run_program(program, which, LD_PRELOAD=failing)
    assert found["status"] in {INVALID_ARGUMENT, INVALID_TOKEN, UNAVAILABLE}


@pytest.mark.parametrize(
    "body, code, usual", [(BARE_YES, 200, OK), (NO, 200, INVALID_TOKEN), (NO, 503, UNAVAILABLE), (NO, 404, MISCONFIGURED)]
)
def test_drain_without_any_memory(library, serve, failing, tmp_path, body, code, usual):
    """What came of a call is said with what is in reserve."""
    server = serve(answers(response(body, status=code)))
    program = compile_program("queue_no_memory", tmp_path, library=library.path)
    (found,) = run_program(program, TEST_URL=server.url(), LD_PRELOAD=failing)
    assert found == {"without": 1, "readable": 0, "again": 0, "status": usual}


@pytest.mark.parametrize("token", [b"garbage", Session().token()], ids=["garbage", "good-looking"])
def test_no_memory_to_confirm_a_no(library, fast_server, failing, tmp_path, token):
    """Each of the allocations between the token and the end of its confirmation fails once, and the reserve serves it."""
    program = compile_program("no_memory", tmp_path, library=library.path)
    environment = {"TEST_URL": fast_server.url, "TEST_TOKEN": token.decode(), "LD_PRELOAD": failing}
    felt = 0
    for number in range(1, MOST_CALLS):
        (found,) = run_program(program, "only_validate", "later", "posix_memalign", number, **environment)
        assert found["meets"] in {INVALID_TOKEN, UNAVAILABLE}
        assert found["again"] == INVALID_TOKEN
        if not found["hits"]:
            break
        felt += 1
    assert felt > 0


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("function", ["malloc", "posix_memalign"])
@pytest.mark.parametrize("claims", [{"big": "x" * 90_000}, {"session_id": "x" * 90_000}], ids=["large", "large id"])
def test_no_memory_for_a_large_payload(library, serve, failing, tmp_path, claims, function, number):
    """A token that cannot be looked at for lack of memory is no "no", and ends no process."""
    program = compile_program("no_memory", tmp_path, library=library.path)
    # An escape in the text, which has to be resolved.
    token = mint(compact(Session().payload(**claims)).replace(b"xxx", b"\\u0078xx", 1)).decode()
    environment = {"TEST_URL": serve(answers(response(BARE_YES))).url(), "TEST_TOKEN": token, "LD_PRELOAD": failing}
    (found,) = run_program(program, "only_validate", "later", function, number, **environment)
    assert found["again"] == OK
    assert found["meets"] in ({OK, UNAVAILABLE} if found["hits"] else {OK})


MANY = {f"name-{number}": number for number in range(200)}


@pytest.mark.parametrize("answer", ["yes", "yes for another", "no"])
@pytest.mark.parametrize("function", ["malloc", "posix_memalign"])
def test_no_memory_for_many_names(library, serve, failing, tmp_path, answer, function):
    """A document's names are kept in memory that grows with it, and anybody may choose a token's: where there is none,
    the call could not ask, and neither ends the process nor leaves out what speaks against a yes."""
    session, other = Session(), Session()
    body, usual = {
        "yes": (session.yes(**MANY), OK),
        "yes for another": (other.yes(**MANY), PROTOCOL_ERROR),
        "no": (compact({"is_valid": False, **MANY}), INVALID_TOKEN),
    }[answer]
    server = serve(answers(response(body)))
    program = compile_program("no_memory", tmp_path, library=library.path)
    environment = {"TEST_URL": server.url(), "TEST_TOKEN": session.token(**MANY).decode(), "LD_PRELOAD": failing}
    environment["TEST_BELIEVED"] = 1  # the second request of a "no" has no names
    without = []
    for number in range(1, 100):
        (found,) = run_program(program, "only_validate", "later", function, number, **environment)
        assert found["again"] == usual
        if found["hits"] == 0:
            break
        without.append(found["meets"])
    print(f"{function}: {without}")
    if function == "malloc":
        # The request, the answer, the payload, and a table that grows twice for each document.
        assert set(without) == {UNAVAILABLE}
        assert len(without) >= (3 if answer == "no" else 7)
    else:
        # What Swift allocates comes out of the reserve, and changes nothing.
        assert set(without) <= {usual}


# Memory is scarce for the whole process -------------------------------------------------------------------------------

# The long run, by hand: HANKO_TEST_CALLS=100000, HANKO_TEST_SEED for another row of failures.
CALLS = int(os.environ.get("HANKO_TEST_CALLS", "10000"))
SEED = int(os.environ.get("HANKO_TEST_SEED", "1"))
# How many processes may die in other people's code before the rest of the calls is given up.
MOST_DEATHS = 20


def is_ours(death):
    """Whether a process died in this library: the program's handler aside, and what the C library ends a process with or
    was called for, the innermost frame is one of the library's."""
    for module, _, _ in death["frames"]:
        if not module.startswith(("scarce", "libc.so", "libc-", "ld-", "libpthread")):
            return module.startswith("libhanko")
    return False


def shown(death):
    frames = "\n".join(f"    {module} {symbol} {offset}" for module, symbol, offset in death["frames"])
    return f"  signal {death['signal']}:\n{frames}"


@pytest.mark.parametrize("one_in", [1000, 100])
@pytest.mark.parametrize("mode", ["blocking", "queue"])
def test_scarce_memory(library, fast_server, tmp_path, mode, one_in):
    """One in so many allocations of the whole process fails, and a burst of up to a thousand after it. Calls are answered
    or could not ask, nothing dies in this library, and all is well when there is memory again."""
    preloaded = compile_program("scarce", tmp_path, shared=True)
    program = compile_program("scarce_memory", tmp_path, library=library.path)
    environment = {
        **os.environ,
        "TEST_URL": fast_server.url,
        "HANKO_API_URL": fast_server.url,
        "HANKO_LOG": "off",
        "LD_PRELOAD": str(preloaded),
    }
    left, seed, ours, others = CALLS, SEED, [], []
    while left > 0 and len(ours) + len(others) < MOST_DEATHS:
        command = [str(program), mode, str(left), str(one_in), str(seed)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120 + left / 100)
        seed += 1
        if done.returncode != 98:
            assert done.returncode == 0, f"ended with {done.returncode}: {done.stdout} {done.stderr}"
            found = json.loads(done.stdout)
            print(f"{mode}, one in {one_in}: {left} calls: {found}")
            assert found["failures"] > 0
            # One in a hundred fails nearly every call.
            assert found["yes"] + found["no"] > 0 or one_in == 100
            break
        death = json.loads(done.stdout)
        left = death["calls_left"]
        (ours if is_ours(death) else others).append(death)
    print(f"{mode}, one in {one_in}: {len(others)} deaths outside of this library")
    for death in others:
        print(shown(death))
    assert not ours, "died in this library:\n" + "\n".join(map(shown, ours))


# Descriptors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("left", [0, 1, 2, 3, 4])
def test_descriptors_run_out(serve, trusted, transport, left):
    """With a few left libcurl gets further before it needs one more; the host keeps all of its own."""
    context = trusted.server_context() if transport == "https" else None
    server = serve(answers(YES), tls=context)
    settings = {"max_retries": 0, "timeout_ms": 5000}
    if context:
        settings["ca_file"] = str(trusted.authority.certificate)
    code = f"""
import resource
from resilience import Client
client = Client(library, {server.url()!r}, **{settings!r})
def look(): return sorted(os.listdir("/proc/self/fd"))
before = look()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
hogs = []
while True:
    try: hogs.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: break
for _ in range({left}): os.close(hogs.pop())
results = [client.validate(b"test-token") for _ in range(3)]
for hog in hogs: os.close(hog)
opened = client.statistics().breaker_opened
after = [int(client.status(b"test-token")) for _ in range(12)]
client.close()
report([[[int(result.status), result.error] for result in results], opened, after, before == look()])
"""
    found, opened, after, same = child.run(code).report
    for status, error in found:
        assert status == OK or (status == UNAVAILABLE and error)
    if left == 0:
        assert [status for status, _ in found] == [UNAVAILABLE] * 3
    assert opened == 0
    assert after == [OK] * 12
    assert same


def test_a_shortage_of_descriptors_opens_no_breaker(serve):
    """It is this machine's own; Hanko must be asked as soon as there are descriptors again."""
    server = serve(answers(YES))
    code = f"""
import resource
from resilience import Client
client = Client(library, {server.url()!r}, max_retries=0)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
hogs = []
while True:
    try: hogs.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: break
short = {{int(client.status(b"test-token")) for _ in range(30)}}
for hog in hogs: os.close(hog)
report([sorted(short), client.statistics().breaker_opened, int(client.status(b"test-token"))])
"""
    assert child.run(code).report == [[UNAVAILABLE], 0, OK]


# Secrets --------------------------------------------------------------------------------------------------------------

ENDS = {
    "yes": answers(YES),
    "no": answers(response(NO)),
    "500": answers(response(b"", status=500)),
    "closed": lambda connection: (connection.read_request(), connection.close()),
    "silent": lambda connection: connection.hang(),
}


@pytest.mark.parametrize("end", ENDS)
def test_token_bytes_are_erased(library, serve, failing, tmp_path, end):
    """Nothing that the library frees still holds a token, whatever came of the call.

    libcurl's and OpenSSL's copies are theirs: only what this library frees itself is looked at.
    """
    server = serve(ENDS[end])
    program = compile_program("erased", tmp_path, library=library.path)
    token = Session().token().decode()
    environment = {"TEST_URL": server.url(), "LD_PRELOAD": failing, "HANKO_TIMEOUT_MS": 300}
    (found,) = run_program(program, token, f"127.0.0.1:{server.port}", **environment, HANKO_API_URL=server.url())
    assert found["looked_at"] > 20
    assert found["control"] > 0, "looking finds nothing at all"
    assert found["dirty"] == 0
