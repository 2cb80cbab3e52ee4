"""The last line of a driver in Python: what its messages cost, or how long its calls took (see benches/README.md)."""

import json
import resource
import time


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def tell_costs(cpu_before: float, wall_before: float, count: int, **more: int) -> None:
    scale = 1e6 / count
    costs = {"cpuUs": (cpu() - cpu_before) * scale, "wallUs": (time.monotonic() - wall_before) * scale}
    print(json.dumps(costs | more))


def tell_times(times: list[float]) -> None:
    """Of microseconds."""
    times.sort()
    last = len(times) - 1
    print(json.dumps({"p50Us": times[last // 2], "p99Us": times[last * 99 // 100]}))
