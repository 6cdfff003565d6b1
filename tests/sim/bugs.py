"""Bugs that people write, each planted by its name; the simulation must find them."""

from typing import Final

from tests.sim.bugs_of_credits import CREDITS, LIVES
from tests.sim.bugs_of_seats import QUEUE, SEATS

BUGS: Final = {bug.name: bug for bug in (*SEATS, *QUEUE, *CREDITS, *LIVES)}
