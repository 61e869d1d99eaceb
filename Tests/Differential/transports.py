"""Two builds of the library on the same answers: the one that leaves HTTP to libcurl, and the one that reads it itself.

    python Tests/Differential/transports.py OLD.so NEW.so [--mutations N] [--seed S] [--workers W]

Each case is an answer, cut into pieces, on a fresh or a kept connection that then stays open, is closed or reset. A
server gives it to both builds, byte by byte the same, and the two are compared: the status, the session, how many
requests it took, whether the connection was used again, and what became of the token that was asked about next. Where
they differ it is for a reason that `transport_kinds.py` names; what has none is printed, and ends the program with 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import multiprocessing
import os
import secrets
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Conformance")]

import transport_cases  # noqa: E402  the folders above are its own
from client import LOG_OFF, Client, Config, bind  # noqa: E402
from library import INVALID_TOKEN, OK, STATUS_NAMES, Library  # noqa: E402
from transport_cases import Case  # noqa: E402
from transport_kinds import KINDS, Difference, Outcome, kind_of  # noqa: E402
from transport_server import ASKED, PROBE, PROBED, WARM_UP, CaseServer  # noqa: E402

# A call that waits for what never comes ends after this time; where two builds differed, they get more.
SHORT_MS = 200
AMPLE_MS = 600

# A token that does not fit into the buffers of a connection.
LONG = 200_000

# So many examples of each kind are shown.
EXAMPLES = 3
LONGEST_SHOWN = 400


class Asker:
    """One build, its client and its server."""

    def __init__(self, library: Path, timeout_ms: int) -> None:
        self.library = bind(Library(library))
        self._timeout_ms = timeout_ms
        self._usual = CaseServer(small_window=False)
        self._usual_client = self._client(self._usual)
        # What comes early comes while a long request is on its way, whose end the server does not take.
        self._early = CaseServer(small_window=True)
        self._early_client = self._client(self._early)

    def _client(self, server: CaseServer) -> Client:
        config = Config(
            self.library,
            api_url=f"http://127.0.0.1:{server.port}",
            timeout_ms=self._timeout_ms,
            max_retries=0,
            confirm_rejections=0,
        )
        config.set_logger(config.log.function, None, LOG_OFF)
        return Client(self.library, config)

    def ask(self, case: Case, probe_is_good: bool) -> Outcome:
        """What comes of a case. Two good answers for each keep the circuit breaker closed."""
        server, client = (self._early, self._early_client) if case.early else (self._usual, self._usual_client)
        server.begin(case, probe_is_good)
        if case.is_folded_at_once:
            # Where its handle has served another request, libcurl from before May 2023 appends such a line to memory
            # that it has freed: https://github.com/curl/curl/pull/11103
            client = self._client(server)
        else:
            client.validate(WARM_UP, wanted=False)
        server.settle()
        server.speak_first()
        outcome = client.validate(ASKED + b"x" * LONG if case.early else ASKED)
        server.settle()
        asked = list(server.asked)
        probe = client.validate(PROBE)
        server.settle()
        if probe_is_good:
            is_own = probe.status == OK and probe.session.user_id == PROBED.user_id
        else:
            is_own = probe.status == INVALID_TOKEN
        session = hashlib.sha256(repr(outcome.session.facts()).encode()).hexdigest() if outcome.session else ""
        return Outcome(
            status=int(outcome.status),
            session=session,
            requests=len(asked),
            is_reused=server.probed[:1] == asked[-1:] != [],
            probe=int(probe.status),
            probe_is_own=is_own,
            error=outcome.error,
        )


def work(library: Path, cases: Sequence[Tuple[int, Case]], timeout_ms: int, results: Connection) -> None:
    """What a child does: ask about its cases, one after the other."""
    faulthandler.enable()
    for name in list(os.environ):
        if name.startswith("HANKO_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    asker = Asker(library, timeout_ms)
    done: List[Tuple[int, Outcome]] = []
    for index, case in cases:
        done.append((index, asker.ask(case, probe_is_good=index % 2 == 1)))
        if len(done) == 200:
            results.send(done)
            done = []
    results.send(done)
    results.send(None)


def ask_both(
    libraries: Sequence[Path], cases: Sequence[Tuple[int, Case]], timeout_ms: int, workers: int
) -> List[Dict[int, Outcome]]:
    """What came of each case, for each build."""
    context = multiprocessing.get_context("fork")
    running = []
    for side, library in enumerate(libraries):
        for worker in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            share = cases[worker::workers]
            child = context.Process(target=work, args=(library, share, timeout_ms, sender), daemon=True)
            child.start()
            sender.close()
            running.append((side, child, receiver, share))
    outcomes: List[Dict[int, Outcome]] = [{} for _ in libraries]
    pending = {receiver: (side, child, share) for side, child, receiver, share in running}
    while pending:
        for receiver in multiprocessing.connection.wait(list(pending)):
            side, child, share = pending[receiver]
            try:
                results = receiver.recv()
            except EOFError:
                child.join()
                missing = [case.name for index, case in share if index not in outcomes[side]][:200]
                raise SystemExit(f"a child of {libraries[side]} ended with {child.exitcode}, in one of {missing}")
            if results is None:
                del pending[receiver]
            else:
                outcomes[side].update(results)
    for _, child, _, _ in running:
        child.join()
    return outcomes


def differences(
    cases: Sequence[Case], libraries: Sequence[Path], workers: int
) -> Tuple[List[Difference], List[Difference]]:
    """In what the two builds differ, and in what they differed only once, on a machine that was busy."""
    numbered = list(enumerate(cases))
    old, new = ask_both(libraries, numbered, SHORT_MS, workers)
    print_statuses(libraries, (old, new))
    differ = [(index, case) for index, case in numbered if not old[index].agrees(new[index])]
    first = {index: Difference(case, old[index], new[index]) for index, case in differ}
    again_old, again_new = ask_both(libraries, differ, AMPLE_MS, workers)
    steady, unsteady = [], []
    for index, case in differ:
        again = Difference(case, again_old[index], again_new[index])
        if again.old.agrees(again.new):
            unsteady.append(first[index])
        else:
            steady.append(again)
    return steady, unsteady


def print_statuses(libraries: Sequence[Path], outcomes: Sequence[Dict[int, Outcome]]) -> None:
    """How often each status came, so that a comparison of nothing shows."""
    for library, side in zip(libraries, outcomes):
        counts = Counter(STATUS_NAMES[outcome.status] for outcome in side.values())
        reused = sum(outcome.is_reused for outcome in side.values())
        text = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        print(f"{library}: {text}; the connection used again: {reused}")


def shown(difference: Difference) -> str:
    """A difference in a few lines."""
    case = difference.case
    wire = repr(case.pieces)
    wire = wire if len(wire) <= LONGEST_SHOWN else f"{wire[:LONGEST_SHOWN]}… ({len(case.wire)} bytes)"
    marks = {"kept": case.kept, "echo": case.echo, "early": case.early}
    how = " ".join([case.then, *(mark for mark, holds in marks.items() if holds)])
    late = f"\n    late: {case.late!r}" if case.late else ""
    return f"  {case.name} [{how}]\n    {wire}{late}\n    old: {difference.old}\n    new: {difference.new}"


def print_verdicts(found: Sequence[Difference]) -> None:
    """Where one of the two says yes or no and the other does not: what matters most."""
    lost: Counter[Tuple[str, str, str]] = Counter()
    print("\nverdicts of the new one alone:")
    for difference in found:
        if difference.is_new_verdict:
            print(shown(difference))
        if difference.is_lost_verdict:
            kind = kind_of(difference)
            names = STATUS_NAMES[difference.old.status], STATUS_NAMES[difference.new.status]
            lost[(*names, kind.name if kind else "unexplained")] += 1
    print("verdicts of the old one alone:")
    for (old, new, kind_name), count in sorted(lost.items()):
        print(f"{count:>8}  {old} before, {new} now: {kind_name}")


def main() -> int:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--mutations", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--workers", type=int, default=12, help="child processes for each library")
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    options = parser.parse_args()
    libraries = (options.old, options.new)

    start = time.monotonic()
    collected = transport_cases.collected()
    cases = collected + list(transport_cases.mutations(options.mutations, options.seed))
    print(f"{len(collected)} collected cases, {options.mutations} mutations, seed {options.seed}", flush=True)
    steady, unsteady = differences(cases, libraries, options.workers)

    sorted_by_kind: Dict[Optional[str], List[Difference]] = {}
    for difference in steady:
        kind = kind_of(difference)
        sorted_by_kind.setdefault(kind.name if kind else None, []).append(difference)
    print(f"{len(cases) - len(steady)} cases alike in {time.monotonic() - start:.0f} s; the others:\n")
    print("   cases  mutations  kind")
    for kind in KINDS:
        found = sorted_by_kind.get(kind.name, [])
        mutated = sum(difference.case.name.startswith("mutation") for difference in found)
        print(f"{len(found) - mutated:>8}{mutated:>11}  {kind.name}: {kind.why}")
        for difference in sorted(found, key=lambda each: len(each.case.wire))[: options.examples]:
            print(shown(difference))
    print_verdicts(steady)
    print(f"\n{len(unsteady)} differed once and not again")
    for difference in unsteady:
        if difference.is_new_verdict or difference.is_lost_verdict:
            print(shown(difference))
    unexplained = sorted_by_kind.get(None, [])
    print(f"{len(unexplained)} unexplained")
    for difference in sorted(unexplained, key=lambda each: len(each.case.wire)):
        print(shown(difference))
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
