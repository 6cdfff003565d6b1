"""Calls jobs when they are due."""

from threading import Event
from typing import Final

import structlog
from attrs import frozen

from nexus.application.kernel.jobs import CallDueJobs

PAUSE: Final = 0.5
"""Seconds between two looks at the clock."""

log = structlog.get_logger(__name__)


@frozen
class Scheduler:
    """Any number may run; each time of a job is handed over once."""

    call_due_jobs: CallDueJobs

    def run(self, stop: Event) -> None:
        """Look at the clock until *stop* is set; outages of the database are waited out."""
        while not stop.is_set():
            try:
                self.call_due_jobs()
            except Exception as error:
                log.warning("scheduler is waiting", reason=type(error).__name__)
            stop.wait(PAUSE)
