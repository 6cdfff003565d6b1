"""Two towns that are nobody's of each other's: each with families, HR, venue staff, and a row of everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
from attrs import define, field

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import Caller, caller
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import SessionId, UserId
from tests.support.booking import Desk
from tests.support.town import NOON, Family, Town


@contextmanager
def asking(actor: Actor | None) -> Iterator[None]:
    """What is done inside is done for them; for nobody with ``None``."""
    token = caller.set(Caller(actor=actor))
    try:
        yield
    finally:
        caller.reset(token)


@define
class Neighbour:
    """One of the towns."""

    town: Town
    full: SessionId = field(init=False)
    families: list[Family] = field(init=False)
    hr: UserId = field(init=False)
    staff: UserId = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.families = [self.town.family(), self.town.family()]
        self.hr = self._person("hr_admin", corporate_id=self.town.company)
        self.staff = self._person("venue_admin", venue_id=self.town.venue)

    def live(self, desk: Desk) -> None:
        """The first family books a session of one seat, the second waits for it; all of them get their rows."""
        self.full = self.town.session(seats=1)
        first, second = self.families
        desk.book(self.full, tuple(first.children), parent=first.parent, company=self.town.company)
        desk.join(self.full, tuple(second.children), parent=second.parent)
        for person in (first.parent, second.parent, self.hr, self.staff):
            self._rows_of(person)
        for family in self.families:
            for child in family.children:
                self._insert(
                    "parental_consent_records",
                    id=uuid4(),
                    child_id=child,
                    parent_id=family.parent,
                    purpose="data_collection",
                    given=True,
                    text_version="1",
                    method="web",
                    recorded_at=NOON,
                )
                self._insert("child_keys", child_id=child, parent_id=family.parent, key=b"k", created_at=NOON)

    @property
    def actors(self) -> dict[str, Actor]:
        """Everybody who may sign in."""
        first, second = (
            Actor(user=family.parent, role=Role.PARENT, company=self.town.company) for family in self.families
        )
        return {
            "parent": first,
            "coworker": second,
            "hr": Actor(user=self.hr, role=Role.HR_ADMIN, company=self.town.company),
            "venue": Actor(user=self.staff, role=Role.VENUE_ADMIN, venue=self.town.venue),
        }

    def _person(self, role: str, **tenant: UUID) -> UserId:
        user = UserId(uuid4())
        self._insert(
            "users",
            id=user,
            email=f"{user}@example.test",
            role=role,
            first_name="Ann",
            last_name="Doe",
            timezone="America/Chicago",
            joined_at=NOON,
            **tenant,
        )
        return user

    def _rows_of(self, person: UserId) -> None:
        self._insert(
            "user_sessions",
            token_hash=person.bytes,
            id=uuid4(),
            user_id=person,
            created_at=NOON,
            expires_at=NOON,
        )
        self._insert("command_keys", actor_id=person, key="k", fingerprint=b"f", claimed_at=NOON)
        self._insert(
            "notifications",
            id=uuid4(),
            user_id=person,
            event_id=uuid4(),
            notification_type="t",
            priority="normal",
            channel="in_app",
            title="t",
            body="b",
            created_at=NOON,
        )

    def _insert(self, table: str, **columns: object) -> None:
        names = ", ".join(columns)
        marks = ", ".join(f"%({name})s" for name in columns)
        self.town.owner.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", columns)


@define
class Neighbours:
    """Here and there."""

    here: Neighbour
    there: Neighbour

    @classmethod
    def of(cls, begin: PostgresBegin, owner: psycopg.Connection) -> "Neighbours":
        desk = Desk(begin)
        made = cls(Neighbour(Town(owner)), Neighbour(Town(owner)))
        made.here.live(desk)
        made.there.live(desk)
        owner.execute("INSERT INTO job_runs (job, due_at) VALUES ('j', now())")
        owner.execute("INSERT INTO development_clock (ahead) VALUES ('0')")
        owner.execute("INSERT INTO platform_settings (key, effective_from, value) VALUES ('k', now(), '1')")
        owner.execute(
            "INSERT INTO imported_programmes (external_ref, activity_id, fingerprint, imported_at)"
            " VALUES ('r', %s, 'f', now())",
            [made.here.town.activity],
        )
        return made
