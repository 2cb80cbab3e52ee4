"""What is measured: the drivers, the measures and how much each has to do."""

from dataclasses import dataclass
from pathlib import Path

from benches.processes import DRIVERS, ROOT, Driver

OURS, FLOOR, COUNTED = "im_client", "the floor", "im_client, allocations counted"
OURS_HANDLERS, OURS_STREAM, PYTHON = "im_client, handlers", "im_client, stream", "python-socketio"


@dataclass(frozen=True)
class Measure:
    name: str
    title: str
    #: The figures that are shown, each with its heading.
    figures: tuple[tuple[str, str], ...]
    count: int
    rounds: int = 5
    drivers: tuple[str, ...] = ()

    @property
    def figure(self) -> str:
        """The one that is compared."""
        return self.figures[0][0]


CPU = (("cpuUs", "µs CPU"),)
#: What takes some microseconds swings with what sleeps how deeply, by a fifth from process to process and from one minute to
#: the next: many short rounds, in which the drivers take turns. One that waits 44 ms for the server's kernel allows no more of them.
ROUND_TRIPS, LIVES, PAIRS = 40, 30, 11
TIMES = (("p50Us", "p50 µs"), ("p99Us", "p99 µs"))

RUST = ("rust_socketio, sync", "rust_socketio, async")
NODE = ("socket.io-client 4", "socket.io-client 2")
ALL = (FLOOR, OURS, *RUST, *NODE, PYTHON)
ANSWERING = (OURS, *NODE, PYTHON)

MEASURES = (
    Measure("receive", "received message", CPU, 400_000, drivers=ALL),
    Measure("emit", "emitted message", CPU, 400_000, drivers=ALL),
    Measure("roundtrip", "emit with acknowledgement", TIMES, 4_000, ROUND_TRIPS, ALL),
    Measure("pair", "emit and acknowledged emit at once", TIMES, 400, PAIRS, ALL),
    Measure("connect", "from nothing to connected", TIMES, 150, LIVES, ALL),
    Measure("idle", "idle connection", (("kbPerClient", "kB"), ("threads", "threads")), 500, 2, drivers=ALL),
    Measure(
        "inflight", "acknowledgements in flight", (("cpuUs", "µs CPU"), ("wrong", "wrong answers")), 100_000, 3, ANSWERING
    ),
    # The crate's ids are random numbers below 999: with more in flight there would be nothing but wrong answers.
    Measure("inflight-1000", "1,000 acknowledgements in flight", (("wrong", "wrong answers"), ("unanswered", "never answered")), 1000, 3, RUST),
)

PYTHON_MEASURES = (
    Measure("receive", "received message, Python", CPU, 100_000, drivers=(OURS_HANDLERS, OURS_STREAM, PYTHON)),
    Measure("emit", "emitted message, Python", CPU, 100_000, drivers=(OURS_HANDLERS, PYTHON)),
)


@dataclass(frozen=True)
class Growth:
    """A plot: what a figure does while something grows. Points are (x, count, size)."""

    name: str
    title: str
    along: str
    measure: str
    figures: tuple[tuple[str, str], ...]
    points: tuple[tuple[int, int, int], ...]
    drivers: tuple[str, ...] = (OURS,)


SIZES = ((10, 100_000), (100, 100_000), (1_000, 100_000), (10_000, 20_000), (100_000, 2_000), (1_000_000, 200))
SIZED = tuple((size, count, size) for size, count in SIZES)
GROWTHS = (
    Growth(
        "clients",
        "More clients in one process, all receiving",
        "clients",
        "clients",
        (("cpuUs", "µs CPU per message"), ("mb", "MB of memory, all clients")),
        tuple((n, n, 200_000) for n in (1, 10, 100, 1_000, 10_000)),
    ),
    Growth("received-size", "Larger messages, received", "bytes", "receive", CPU, SIZED, (OURS, FLOOR)),
    Growth("emitted-size", "Larger messages, emitted", "bytes", "emit", CPU, SIZED, (OURS, FLOOR)),
    Growth(
        "subscriptions",
        "More subscriptions to other events",
        "subscriptions",
        "receive-among",
        CPU,
        tuple((n, 200_000, n) for n in (1, 10, 100, 1_000)),
    ),
)


def drivers(build: Path, python: Path) -> dict[str, Driver]:
    ours_python = {
        "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
        "IM_CLIENT_LIBRARY": str(build / "release" / "libim_client.so"),
    }
    rust, node = str(build / "peers" / "rust_socketio"), str(DRIVERS / "official.js")
    package, stranger = ("-m", "benches.drivers.ours_python"), ("-m", "benches.drivers.python_socketio")
    # It sends without TCP_NODELAY: each of these waits 40 ms for the server's kernel.
    waits = {"": 4, "pair": 8, "connect": 8, "idle": 1, "roundtrip": 2, "inflight-1000": 1}
    node_2 = {"": 4, "pair": 2, "connect": 2, "idle": 1, "inflight": 1, "roundtrip": 10}
    node_4 = {"": 4, "pair": 2, "connect": 2, "idle": 1, "inflight": 1}
    by_hand = {"": 40, "pair": 2, "connect": 8, "idle": 1, "inflight": 20}
    all_drivers = [
        Driver(FLOOR, (str(build / "peers" / "floor"),)),
        Driver(OURS, (str(build / "bench" / "ours"),)),
        Driver(COUNTED, (str(build / "bench" / "ours-counted"),)),
        Driver(RUST[0], (rust, "sync"), waits, is_peer=True),
        Driver(RUST[1], (rust, "async"), waits, is_peer=True),
        Driver(NODE[0], ("node", node, "4"), node_4, is_peer=True),
        Driver(NODE[1], ("node", node, "2"), node_2, is_peer=True),
        Driver(PYTHON, (str(python), *stranger), by_hand, is_peer=True),
        Driver(OURS_HANDLERS, (str(python), *package, "handlers"), environment=ours_python),
        Driver(OURS_STREAM, (str(python), *package, "stream"), environment=ours_python),
    ]
    return {driver.name: driver for driver in all_drivers}
