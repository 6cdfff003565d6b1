"""A process that shares its figures: it does what it is told on its input, and says its number."""

import os
import sys

from prometheus_client import CollectorRegistry, Counter, Histogram

from nexus.entrypoints import shared_figures
from nexus.entrypoints.monitoring import OfProcess


def main() -> None:
    number = shared_figures.join()
    registry, of_process = CollectorRegistry(), OfProcess(number)
    asked = Counter("asked", "Requests", ["route"], registry=registry)
    seconds = Histogram("asked_seconds", "Time to answer", ["route"], registry=registry)
    print(number, os.getpid(), flush=True)
    refused = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            asked.labels("/healthz").inc()
            seconds.labels("/healthz").observe(0.003)
            refused += 1
        of_process.note({"pool_size": int(line), "requests_errors": refused}, None)
        print("done", flush=True)


if __name__ == "__main__":
    main()
