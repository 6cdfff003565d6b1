"""Two companies and two venues, with everything twice or more often, so that ids can be mixed up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from attrs import define, evolve, field, frozen
from psycopg import sql

from nexus.adapters.passwords.tokens import new_token
from nexus.adapters.system.chance import new_id
from nexus.application.identity.sessions import OpenSignIn
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.limits import Allowance, Limit
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import SessionId, UserId
from tests.support.front import Door, Front
from tests.support.market import schedule_body
from tests.support.office import PASSWORD, company_body, venue_body
from tests.support.passwords import QUICK
from tests.support.town import NOON, Family, Town

HIDDEN = "Canaryhidden"
"""In names of companies and departments, which no venue sees."""


def child_name(family: str, number: int) -> str:
    return f"Canarychild{family.replace(' ', '').capitalize()}{number}"


def child_notes(family: str, number: int) -> str:
    """Not to be shared; but those of `other parent A` for its first child are."""
    return SHARED if (family, number) == SHARING else f"Canarynotes of {family} {number}"


SHARING = ("other parent A", 0)
SHARED = "No bee stings, please"


class Boundless:
    """A limiter that grants everything."""

    def take(self, *wanted: tuple[str, Limit], times: int = 1) -> Allowance:
        limit = wanted[0][1]
        return Allowance(limit=limit, remaining=limit.amount, resets_after=limit.window, retry_after=None)

    def forget(self, *names: str) -> None: ...


@frozen
class Person:
    """Somebody with an account, and what the matrix calls it."""

    label: str
    actor: Actor

    @property
    def role(self) -> Role:
        return self.actor.role


@define
class World:
    """The people, and the ids of what they own, by the name that requests give them."""

    door: Door
    owner: psycopg.Connection
    front: Front = field(init=False)
    people: dict[str, Person] = field(factory=dict)
    ids: dict[str, dict[str, Any]] = field(factory=dict)
    """By the id's name, `booking_id:pending` where a route wants one in a certain state, then by owner."""
    towns: dict[str, Town] = field(factory=dict)
    families: dict[str, Family] = field(factory=dict)

    def build(self) -> "World":
        clock = self.door.clock
        clock.at = NOON - timedelta(days=1)
        for name in ("A", "B"):
            self._town(name)
        door = self.door
        self.front = Front(door.client, door.nexus, door.clock, door.people, self.towns["A"])
        for label, town, role in (
            ("parent A", "A", Role.PARENT),
            ("other parent A", "A", Role.PARENT),
            ("hr A", "A", Role.HR_ADMIN),
            ("parent B", "B", Role.PARENT),
            ("hr B", "B", Role.HR_ADMIN),
        ):
            self._family(label, town, role)
        for label, town in (("venue A", "A"), ("other venue A", "A"), ("venue B", "B")):
            self._person(label, Role.VENUE_ADMIN, town)
        for label in ("root", "other root"):
            self._person(label, Role.PLATFORM_ADMIN, None)
        self._bookings()
        clock.at = NOON - timedelta(hours=1)
        self._queues()
        self._plans()
        self._keys()
        clock.at = NOON
        self.front.handle_events()
        door.nexus.verify_data()
        self._log()
        self._sign_ins()
        self._shut_an_account()
        for label in self.families:
            [note, *_] = self._get(label, "/notifications")["items"]
            self.own("notification_id", label, note["id"])
        return self

    def own(self, name: str, label: str, value: Any) -> None:
        self.ids.setdefault(name, {})[label] = str(value) if isinstance(value, UUID) else value

    def token(self, label: str) -> str:
        person = self.people[label]
        self.front.people.signed_in[label.replace(" ", "-")] = person.actor
        return label.replace(" ", "-")

    def _get(self, label: str, path: str) -> Any:
        answer = self.front.get(self.token(label), path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _made(self, label: str, method: str, path: str, body: Any) -> Any:
        answer = self.front.send(self.token(label), method, path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def _town(self, name: str) -> None:
        town = self.towns[name] = Town(self.owner, NOON - timedelta(days=3))
        self.owner.execute(
            "UPDATE corporates SET company_name = %s WHERE id = %s", [f"{HIDDEN} {name}", town.company]
        )
        self.own("company_id", name, town.company)
        self.own("venue_id", name, town.venue)
        self.own("activity_id", name, town.activity)

    def _person(self, label: str, role: Role, town: str | None, user: UUID | None = None) -> Person:
        at = self.towns[town] if town else None
        company = at.company if at and role in {Role.PARENT, Role.HR_ADMIN} else None
        venue = at.venue if at and role is Role.VENUE_ADMIN else None
        if user is None:
            user = uuid4()
            self.towns["A"]._insert(
                "users",
                id=user,
                email=f"{label.replace(' ', '.')}@nexus.example",
                role=str(role),
                first_name="Val",
                last_name=HIDDEN,
                venue_id=venue,
                timezone="America/Chicago",
                joined_at=NOON,
            )
        person = self.people[label] = Person(label, Actor(UserId(user), role, company, venue, str(uuid4())))
        self.own("user_id", label, user)
        self.own("employee_id", label, user)
        return person

    def _family(self, label: str, town: str, role: Role) -> None:
        family = self.families[label] = self.towns[town].family(children=2, credits=1000)
        self.owner.execute(
            "UPDATE users SET role = %s, department = %s WHERE id = %s",
            [str(role), f"{HIDDEN} department", family.parent],
        )
        self._person(label, role, town, family.parent)
        for number, child in enumerate(family.children):
            self.owner.execute(
                "UPDATE children SET first_name = %s WHERE id = %s",
                [child_name(label, number), child],
            )
            if (label, number) == SHARING:
                self.owner.execute(
                    "UPDATE children SET consents = consents || '{medical_sharing}' WHERE id = %s", [child]
                )
            self._made(label, "PATCH", f"/children/{child}", {"medical_notes": child_notes(label, number)})
        self.own("child_id", label, family.children[1])
        self.own("child_ids", label, [str(family.children[1])])

    def _book(self, label: str, session: SessionId, child: int = 0) -> str:
        body = {"session_id": str(session), "child_ids": [str(self.families[label].children[child])]}
        found: str = self._made(label, "POST", "/bookings", body)["bookings"][0]["id"]
        return found

    def _bookings(self) -> None:
        for name, town in self.towns.items():
            open_, started = town.session(), town.session(starts_at=NOON - timedelta(minutes=30))
            asking = town.session(starts_at=NOON + timedelta(days=8))
            self.own("session_id", name, open_)
            self.own("session_id:started", name, started)
            for label in self._families_of(name):
                self.own("booking_id", label, self._book(label, open_))
                self.own("original_booking_id", label, self.ids["booking_id"][label])
                self.own("booking_id:started", label, self._book(label, started))
                town.at_the_venue(requires_confirmation=True, confirmation_hours=48)
                self.own("booking_id:pending", label, self._book(label, asking))
                town.at_the_venue(requires_confirmation=False)
            for variant in ("", ":started", ":pending"):
                of = self.ids[f"booking_id{variant}"]
                self.own(f"booking_id{variant}", name, of[self._families_of(name)[0]])

    def _families_of(self, town: str) -> list[str]:
        return [label for label in self.families if label.endswith(town)]

    def _queues(self) -> None:
        for name, town in self.towns.items():
            filler = town.family(credits=1000)
            taker = self._person(f"taker {name}", Role.PARENT, name, filler.parent).label
            for label in self._families_of(name):
                days = timedelta(days=10 + len(self.ids.get("entry_id", ())))
                for variant in ("", ":offered"):
                    session = town.session(seats=1, starts_at=NOON + days * (2 if variant else 1))
                    wish = {"session_id": str(session), "child_ids": [str(filler.children[0])]}
                    taken = self._made(taker, "POST", "/bookings", wish)["bookings"][0]["id"]
                    body = {"child_ids": [str(self.families[label].children[0])]}
                    entry = self._made(label, "POST", f"/sessions/{session}/waitlist", body)
                    self.own(f"entry_id{variant}", label, entry["id"])
                    if variant:
                        self._made(taker, "POST", f"/bookings/{taken}/cancel", {})
                    else:
                        self.own("session_id:full", name, session)

    def _plans(self) -> None:
        for name in self.towns:
            body = schedule_body(self.ids["activity_id"][name])
            made = self._made(f"venue {name}", "POST", "/venue/schedules", body)
            self.own("schedule_id", name, made["schedule"]["id"] if "schedule" in made else made["id"])
            applying = self._made("root", "POST", "/admin/venues", venue_body(
                f"Applying {name}",
                insurance={"coverage_minor": 100_000_000, "expires_on": "2027-01-01"},
                background_check_completed=True,
                safety_audit_completed=True,
            ))  # fmt: skip
            self.own("venue_id:applying", name, applying["id"])
            company = self._made("root", "POST", "/admin/companies", company_body(f"New {name}"))
            self.own("company_id:without subscription", name, company["id"])

    def _shut_an_account(self) -> None:
        shut = self.ids["user_id"]["taker B"]
        self._made("root", "POST", f"/admin/users/{shut}/disable", {"reason": "Lost laptop."})
        self.own("user_id:disabled", "A", shut)

    def _sign_ins(self) -> None:
        """Each person is signed in twice: here, and elsewhere."""
        nexus = self.door.nexus
        opening = OpenSignIn(new_id, new_token)
        hashed = QUICK.hash(PASSWORD)
        self.owner.execute("UPDATE users SET password_hash = %s", [hashed])
        for label, person in self.people.items():
            with nexus.begin_as_platform() as work:
                here, elsewhere = (
                    opening(
                        work,
                        person.actor.user,
                        person.role,
                        at=NOON,
                        remember=False,
                        has_second_factor=True,
                        device="Firefox on Linux",
                    ).signed_in
                    for _ in range(2)
                )
            self.people[label] = evolve(person, actor=evolve(person.actor, session=here.id))
            self.own("sign_in_id", label, elsewhere.id)

    def _log(self) -> None:
        [entry, *_] = self._get("root", "/admin/audit?action=booking.made")["items"]
        self.own("entry_id:of the log", "A", entry["id"])
        sealed = [each for each in self._get("root", "/admin/audit?limit=100")["items"] if each["is_sealed"]]
        self.own("entry_id:sealed", "A", sealed[0]["id"])

    def _keys(self) -> None:
        for label, person in self.people.items():
            if person.role is not Role.PARENT:
                wish = {"name": "Key", "scopes": ["read:activities"]}
                self.own("key_id", label, self._made(label, "POST", "/me/api-keys", wish)["key"]["id"])
        for name in self.towns:
            self.own("key_id", name, self.ids["key_id"][f"hr {name}"])


@define
class Snapshot:
    """All rows as they were; to notice a change cheaply, and to take it back."""

    owner: psycopg.Connection
    besides: frozenset[str] = frozenset()
    """Tables that refusals may write: who was refused is worth noting."""
    tables: dict[str, list[str]] = field(init=False)
    last: int = field(init=False)
    is_worn: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.tables = dict(
            self.owner.execute(
                """
                SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
                  FROM pg_class c
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT c.relispartition AND c.relname <> 'schema_migrations'
                 GROUP BY c.relname
                """
            ).fetchall()
        )
        guards = self.owner.execute(
            """
            SELECT tgrelid::regclass::text, tgname FROM pg_trigger
             WHERE tgenabled = 'A' AND tgparentid = 0 AND NOT tgisinternal
            """
        ).fetchall()
        copies = ["DROP SCHEMA IF EXISTS kept CASCADE", "CREATE SCHEMA kept"]
        back = ["SET LOCAL session_replication_role = replica"]
        back += [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in guards]
        for table, columns in self.tables.items():
            copies.append(f"CREATE TABLE kept.{table} AS TABLE public.{table}")
            names = ", ".join(f'"{column}"' for column in columns)
            back.append(f"DELETE FROM public.{table}")
            back.append(
                f"INSERT INTO public.{table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM kept.{table}"
            )
        back += [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}" for table, trigger in guards]
        self.owner.execute("; ".join(copies))
        self._back = "; ".join(back)
        self.note()

    _back: str = field(init=False, default="")

    def note(self) -> None:
        self.last = self._counter()

    def _counter(self) -> int:
        """Moves when a transaction writes or locks anything."""
        found = self.owner.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert found is not None
        return int(found[0])

    def changed(self) -> list[str]:
        """The tables whose rows are not what they were."""
        if self._counter() == self.last:
            return []
        self.is_worn = True
        different = [
            sql.SQL("SELECT {0} WHERE EXISTS (TABLE public.{1} EXCEPT TABLE kept.{1})"
                    " OR EXISTS (TABLE kept.{1} EXCEPT TABLE public.{1})").format(
                sql.Literal(table), sql.Identifier(table)
            )
            for table in self.tables
            if table not in self.besides
        ]  # fmt: skip
        found = self.owner.execute(sql.SQL(" UNION ALL ").join(different)).fetchall()
        self.note()
        return [table for (table,) in found]

    def freshen(self) -> None:
        """Restore what anything was written to, the tables besides included."""
        if self.is_worn or self._counter() != self.last:
            self.restore()

    def restore(self) -> None:
        self.is_worn = False
        with self.owner.transaction():
            self.owner.execute(self._back)
        self.note()


@contextmanager
def without_row_security(owner: psycopg.Connection) -> Iterator[None]:
    """The first wall alone."""
    tables = [
        name
        for (name,) in owner.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')"
        ).fetchall()
    ]
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        for table in tables:
            owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
