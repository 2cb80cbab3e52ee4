"""To which layer of a message's way a place in the code belongs: one table of rules, each a pattern and what it means."""

import re
from dataclasses import dataclass

READING = "kernel: reading from the socket"
WRITING = "kernel: writing to the socket"
KERNEL = "kernel: interrupts, page faults, the rest"
TOKIO = "tokio and polling"
FRAMES = "WebSocket: frames, UTF-8"
CONNECTION = "the connection's task"
PROTOCOLS = "Engine.IO and Socket.IO"
JSON = "the JSON scan"
MEANING = "envelope, routing, IM"
EVENT = "the event as the callback sees it"
MEMORY = "memory: malloc, free, memcpy"
THREADS = "between the threads: queues, locks, wake-ups"
CALL = "the C ABI: checks and translation"
CLOCK = "looking at the clock"
PROGRAM = "the program: callback or caller"
UNKNOWN = "not attributed"

#: From the socket to the callback; a table has its rows in this order.
LAYERS = (
    READING, WRITING, KERNEL, TOKIO, FRAMES, CONNECTION, PROTOCOLS, JSON, MEANING, EVENT, MEMORY, THREADS, CALL, CLOCK, PROGRAM,
    UNKNOWN,
)  # fmt: skip

Rules = tuple[tuple[str, str], ...]

#: Functions of the kernel, anywhere in a sample's chain.
KERNEL_RULES: Rules = (
    (r"futex", THREADS),
    (r"eventfd|epoll|ep_poll", TOKIO),
    (r"^__x64_sys_(recv|read)|^(tcp|sock)_(recv|read)", READING),
    (r"^__x64_sys_(send|write)|^(tcp|sock)_(send|write)", WRITING),
    (r"sys_clock_gettime", CLOCK),
)

#: Source files of the library, seen from its root, and of the crates in it. The innermost of the inlined functions that has a rule decides, so that
#: what is generic belongs to whom it works for.
SOURCE_RULES: Rules = (
    (r"^src/json\.rs", JSON),
    (r"^src/(engineio|socketio)/", PROTOCOLS),
    (r"^src/client/(client|sending|payload|inside|status)\.rs|^src/ffi/", CALL),
    (r"^src/im/|^src/client/(subscriptions|from_network|dedupe|requests|replies|outbox|deadlines|info)", MEANING),
    (r"^src/client/event\.rs", EVENT),
    (r"^src/client/|^src/connection/(link|lane|outbound|shared)", THREADS),
    (r"^src/connection/", CONNECTION),
    (r"^src/transport/|/(tokio-)?tungstenite-\d", FRAMES),
    # A frame of a client is masked with random bytes.
    (r"/(rand|chacha20)[_-]", FRAMES),
    (r"/(tokio|mio|futures-[a-z]+)-\d", TOKIO),
)

#: Where none of them has: generic code that was not inlined.
GENERIC_RULES: Rules = (
    (r"/core/src/str/", FRAMES),
    (r"/std/src/(sys/)?sync/|/std/src/sys/.*futex", THREADS),
    (r"/std/src/time|/std/src/sys/.*time", CLOCK),
    (r"/std/src/thread|/core/src/.*/poll|/core/src/task/", TOKIO),
    (r"/alloc/src/|/core/src/(mem|ptr)/|/bytes-\d|/std/src/alloc|/smallvec-", MEMORY),
)

#: Functions of other libraries and programs, by their names.
SYMBOL_RULES: Rules = (
    (r"malloc|free|calloc|realloc|memcpy|memmove|memset|mem_?cmp|memchr|unlink_chunk|tcache|sysmalloc|arena", MEMORY),
    (r"clock_gettime|^__vdso|^timekeeping", CLOCK),
    (r"str(str|chr)|^on_|^count_one|^emit|^receive|^main$|^wait_|two_way", PROGRAM),
    (r"strlen", CALL),
    (r"pthread|lll_lock|futex|sem_|syscall", THREADS),
    (r"recv|^__?(libc_)?readv?$", READING),
    (r"send|^__?(libc_)?writev?$", WRITING),
    (r"epoll|eventfd", TOKIO),
)


@dataclass(frozen=True)
class Place:
    """Where a sample was taken: in the kernel, in a file of the library, or in a function of anything else."""

    #: From the innermost outwards.
    kernel: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    symbol: str = ""


def layer_of(place: Place) -> str:
    if place.kernel:
        return first(KERNEL_RULES, place.kernel) or KERNEL
    found = innermost(SOURCE_RULES, place.files) or innermost(GENERIC_RULES, place.files)
    return found or first(SYMBOL_RULES, (place.symbol,)) or UNKNOWN


def first(rules: Rules, names: tuple[str, ...]) -> str | None:
    """The first rule that one of the names follows."""
    return next((layer for pattern, layer in rules if any(re.search(pattern, name) for name in names)), None)


def innermost(rules: Rules, names: tuple[str, ...]) -> str | None:
    """The first of the names that follows a rule."""
    return next((layer for name in names if (layer := first(rules, (name,)))), None)
