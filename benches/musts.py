"""What the library must reach, and whether a run did."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benches.plan import FLOOR, NODE, OURS, OURS_HANDLERS, OURS_STREAM, PYTHON, RUST

PEERS = (*RUST, *NODE, PYTHON)
MOST_THREADS = 3
#: Clients that come back evenly over the second of the first back-off: a tenth of them in each tenth. Twice that is no rush yet.
RUSH = 0.2
#: How much more at the far end of a plot still is flat.
FLAT = 1.5


@dataclass(frozen=True)
class Row:
    title: str
    must: str
    measured: str
    holds: bool
    #: Beyond the must: what is aimed for, and what was measured where that is something else.
    aim: str = ""
    reached: bool = True


def rows(results: dict[str, Any]) -> list[Row]:
    found: list[Row] = []
    for part in (compared, absolute, from_python, larger, fleets, sizes, growing):
        found += part(results)
    return found


def within_rounds(ours: list[dict[str, float]], others: list[list[dict[str, float]]], figure: str) -> float:
    """Ours as a multiple of the best of the others, in the same round; the median over the rounds.

    The best is the one with the best median: the least of several in each round would be mostly luck.
    """
    best = min(others, key=lambda other: statistics.median(run[figure] for run in other))
    return statistics.median(our[figure] / other[figure] for our, other in zip(ours, best, strict=True))


def at_most(
    title: str, must: float, measured: float, unit: Callable[[float], str], aim: float | None = None
) -> Row:
    row = Row(title, f"at most {unit(must)}", unit(measured), measured <= must)
    return row if aim is None else replace(row, aim=unit(aim), reached=measured <= aim)


def times(value: float) -> str:
    return f"{value:.3g} times"


def part(value: float) -> str:
    return f"1/{1 / value:.3g}"


def megabytes(value: float) -> str:
    return f"{value:.2f} MB"


def compared(results: dict[str, Any]) -> list[Row]:
    measures = results["measures"]

    def ratio(measure: str, others: tuple[str, ...], figure: str) -> float:
        taken = measures[measure]
        return within_rounds(taken[OURS], [taken[other] for other in others], figure)

    def throughput(measure: str) -> Row:
        floor = ratio(measure, (FLOOR,), "cpuUs")
        row = at_most(f"{measure}, CPU per message, of the best peer", 1 / 6, ratio(measure, PEERS, "cpuUs"), part)
        return replace(row, aim=f"{times(3)} the floor; measured: {times(floor)}", reached=floor <= 3)

    round_trip = ratio("roundtrip", (FLOOR,), "p50Us")
    return [
        throughput("receive"),
        throughput("emit"),
        replace(
            at_most("round trip p50, of the best peer", 1, ratio("roundtrip", PEERS, "p50Us"), times),
            aim=f"{times(1.1)} the floor; measured: {times(round_trip)}",
            reached=round_trip <= 1.1,
        ),
        at_most("emit and acknowledged emit at once, p50, of the floor", 1.5, ratio("pair", (FLOOR,), "p50Us"), times, 1.15),
        at_most("from `im_client_new` to `connect`, p50, of the floor", 1.5, ratio("connect", (FLOOR,), "p50Us"), times, 1.2),
    ]


def absolute(results: dict[str, Any]) -> list[Row]:
    measures = results["measures"]
    idle = statistics.median(run["kbPerClient"] for run in measures["idle"][OURS])
    wrong = sum(run["wrong"] for run in measures["inflight"][OURS])
    return [
        at_most("an idle client over plain `ws`", 14, idle, lambda kb: f"{kb:.1f} kB", 11),
        Row("acknowledgements in flight: wrong answers", "none", f"{wrong:.0f}", wrong == 0),
    ]


def from_python(results: dict[str, Any]) -> list[Row]:
    receive, emit = results["python"]["receive"], results["python"]["emit"]

    def ratio(taken: dict[str, Any], ours: str) -> float:
        return within_rounds(taken[ours], [taken[PYTHON]], "cpuUs")

    return [
        at_most("Python, receive by handlers, of python-socketio", 1 / 10, ratio(receive, OURS_HANDLERS), part),
        at_most("Python, receive by a stream, of python-socketio", 1 / 10, ratio(receive, OURS_STREAM), part),
        at_most("Python, emit, of python-socketio", 1 / 5, ratio(emit, OURS_HANDLERS), part),
    ]


def larger(results: dict[str, Any]) -> list[Row]:
    words = {"receive": "received", "emit": "emitted"}
    found = []
    for name, run in results["large"].items():
        way, size = name.split()
        title = f"a message of {int(size) // 1_000_000} MB {words[way]}, peak of allocations"
        found.append(at_most(title, 2.5, run["peak"], lambda peak: f"{peak:.2f} of it"))
    return found


def fleets(results: dict[str, Any]) -> list[Row]:
    found = []
    for name, run in results["fleets"].items():
        count = int(name)
        who = "1 client" if count == 1 else f"{count:,} clients"
        found.append(
            at_most(f"threads with {who}, lookups and reconnects included", MOST_THREADS, run["threads"], lambda n: f"{n:.0f}")
        )
        if count > 1:
            found += restarted(who, count, run)
    return found


def restarted(who: str, count: int, run: dict[str, float]) -> list[Row]:
    back = min(run["returned"], run["heard"], run["openedAfter"])
    once = run["openedAfter"] == count
    again = f"{back:,.0f}" + ("" if once else f", with {run['openedAfter']:,.0f} connections")
    spread = f"{run['rush']:.0%}; {run['backP5']:.2f} to {run['backP95']:.2f} s for nine tenths"
    answered = f"{run['heartbeats']:.1f} each in 10 s at an interval of 5 s"
    return [
        Row(f"{who}: heartbeats answered", "2 each", answered, run["heartbeats"] >= 1.9),
        Row(f"{who}: back after a restart, and heard from", "all", again, back == count),
        Row(f"{who}: back within the busiest tenth of a second", f"at most {RUSH:.0%}", spread, run["rush"] <= RUSH),
    ]


def sizes(results: dict[str, Any]) -> list[Row]:
    found = results["librarySizes"]
    title = "the smallest: without TLS, polling and store, made for size (`make release-small`)"
    smallest = at_most(title, 1.5, found["small"] / 1e6, megabytes, 1.0)
    return [
        at_most("the stripped library, with TLS and polling", 3.5, found["tls"] / 1e6, megabytes, 2.5),
        replace(smallest, measured=f"{smallest.measured}; the usual one without TLS alone: {megabytes(found['plain'] / 1e6)}"),
    ]


def growing(results: dict[str, Any]) -> list[Row]:
    def at(name: str, x: int, figure: str) -> float:
        runs = next(runs for here, runs in results["growth"][name][OURS] if here == x)
        return float(statistics.median(run[figure] for run in runs))

    def far_end(name: str) -> int:
        last: int = results["growth"][name][OURS][-1][0]
        return last

    many, names = far_end("clients"), far_end("subscriptions")
    return [
        at_most(
            f"CPU per message with {many:,} clients, of that with 10",
            FLAT, at("clients", many, "cpuUs") / at("clients", 10, "cpuUs"), times,
        ),
        at_most(
            f"memory per client with {many:,}, of that with {many // 10:,}",
            FLAT, at("clients", many, "kbPerClient") / at("clients", many // 10, "kbPerClient"), times,
        ),
        at_most(
            f"CPU per message with {names:,} other subscriptions, of that with 1",
            FLAT, at("subscriptions", names, "cpuUs") / at("subscriptions", 1, "cpuUs"), times,
        ),
    ]
