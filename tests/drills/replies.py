"""Replies that are lost on their way: of PostgreSQL to a COMMIT, of the web process to a command."""

import time
from typing import Final
from urllib.parse import urlsplit

from tests.drills import proxies
from tests.drills.asking import Asking, Crowd, both, effects
from tests.drills.drill import Drill
from tests.drills.judging import Outcome, differing, tally
from tests.drills.town import Ground, Town

SECONDS: Final = 15.0


def lose_replies(ground: Ground, without: str) -> Outcome:
    """Both at once: a fifth of all commits, a fifth of all answers."""
    out = Outcome()
    with Town.founded(ground) as town:
        commits = proxies.commits(town.postgres.port)
        answers = proxies.answers(town.port)
        with commits.listening() as database, answers.listening() as web:
            parts = urlsplit(town.database_url)
            address = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{database}"))
            town.settings["DATABASE_URL"] = address.geturl()
            town.serve()
            crowd = Crowd(Asking(web), both(), key=not without)
            with crowd.at_work():
                time.sleep(SECONDS)
            town.settings.pop("DATABASE_URL")
            out.drops = commits.drops + answers.drops
            out.notes.append(
                f"{commits.drops} of {commits.seen} commits and {answers.drops} of {answers.seen} answers lost"
            )
            out.expect(commits.drops > 20 and answers.drops > 20, "more than twenty of each are lost")
            out.count(tally(crowd.answers, effects(town, crowd.asked)))
            if not without:
                changed = differing(crowd.answers, crowd.replay_at(Asking(town.port), most=200))
                out.expect(not changed, f"a replay is answered the same, byte for byte: {changed[:3]}")
            out.notes.append(
                f"{crowd.tries} tries, by status {dict(sorted(crowd.statuses.items()))} (0: cut off)"
            )
            out.expect(500 not in crowd.statuses, "no outage is answered as an error of ours (500)")
            town.end("web")
        town.verify(out)
    return out


DRILLS: Final = (Drill("replies-lost", "keys", lose_replies),)
