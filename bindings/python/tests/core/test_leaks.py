"""Memory and descriptors after 100,000 calls."""

from __future__ import annotations

from typing import Callable

PROGRAM = """
    import asyncio, gc, logging, os, sys
    import hanko

    logging.getLogger("hanko").disabled = True
    gc.disable()  # whatever is only found by the garbage collector counts as a leak

    def memory():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def fails(call, *arguments):
        try:
            call(*arguments)
        except hanko.HankoError:
            return
        raise AssertionError("it did not fail")

    def blocking(client, count):
        for _ in range(count // 4):
            assert client.validate("token").email == "ada@example.com"
            fails(client.validate, "no")
            fails(client.authenticate, "a=b", None)
            fails(client.validate, "not a token \\0")

    async def concurrent(client, count):
        async def one(number):
            try:
                session = await client.validate(["token", "no", None, "\\ud800"][number % 4])
                assert session.email == "ada@example.com" and number % 4 == 0
            except hanko.InvalidToken:
                assert number % 4
        for start in range(0, count, 32):
            await asyncio.gather(*[one(number) for number in range(start, start + 32)])

    def many_loops(client, count):
        for _ in range(count):
            asyncio.run(concurrent(client, 32))

    def many_clients(url, count):
        for _ in range(count):
            with hanko.Client(url) as client:
                client.validate("token")
            asyncio.run(one_async_client(url))

    async def one_async_client(url):
        async with hanko.AsyncClient(url) as client:
            await client.validate("token")

    url = sys.argv[1]
    client, async_client = hanko.Client(url), hanko.AsyncClient(url)

    def everything(factor):
        blocking(client, 50_000 // factor)
        asyncio.run(concurrent(async_client, 48_000 // factor))
        many_loops(async_client, 60 // factor)
        many_clients(url, 60 // factor)

    everything(10)
    before, opened = memory(), descriptors()
    everything(1)
    grown = memory() - before
    print(f"{grown / 1024:.0f} KiB, {descriptors() - opened} descriptors")
    # asyncio's own cycles of some KB for each loop are among it; a byte a call would be 100 KB.
    assert grown < 3_000_000, grown
    assert descriptors() <= opened + 2
"""


def test_nothing_grows_over_100_000_calls(
    run_program: Callable[..., str], serve_in_a_process: Callable[[], str], capsys
) -> None:
    grown = run_program(PROGRAM, serve_in_a_process())
    with capsys.disabled():
        print(f"\n100,000 calls: {grown} more")
