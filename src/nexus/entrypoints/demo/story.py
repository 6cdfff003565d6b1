"""The order of events, told backwards from the present."""

from datetime import timedelta
from typing import Final

from attrs import frozen

from nexus.domain.kernel.time import local_date
from nexus.entrypoints.demo.crowds import PastCrowds, PresentCrowds
from nexus.entrypoints.demo.fixed_family import FixedFamily
from nexus.entrypoints.demo.history import History
from nexus.entrypoints.demo.town import ZONE, add_specials

LENGTH: Final = 35
"""Days between the story's beginning and the present: every billing day falls into them."""

BOOKINGS_A_DAY: Final = (5, 8)


@frozen
class Story:
    """Puts everything that happens on the stage's agenda."""

    history: History

    def write(self) -> None:
        history, stage = self.history, self.history.stage
        stage.at(stage.before_end(days=14), history.plan_ahead)
        for day in range(LENGTH, 0, -1):
            stage.at(stage.before_end(days=day), history.work)
        for day in range(LENGTH - 1, 0, -1):
            for _ in range(stage.random.randint(*BOOKINGS_A_DAY)):
                when = stage.before_end(days=day) + timedelta(hours=stage.random.uniform(0, 20))
                stage.at(when, history.somebody_books)
        stage.at(stage.before_end(days=10), self._announce_specials)
        stage.at(stage.before_end(days=9), history.call_a_session_off)
        stage.at(stage.before_end(days=8), history.withdraw_photos)
        stage.at(stage.before_end(days=6), history.correct_credits)
        stage.at(stage.before_end(days=1.5), history.move_a_session)
        PastCrowds(history).write()
        FixedFamily(history).write()
        PresentCrowds(history).write()
        stage.at(stage.end, history.work)
        stage.at(stage.end, history.plan_ahead)

    def _announce_specials(self) -> None:
        stage = self.history.stage
        add_specials(stage, self.history.town, local_date(stage.end, ZONE) + timedelta(days=3))
        self.history.look_around()
