"""Sessions with their queues."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object, to_object
from nexus.domain.booking.waitlist import Entry, EntryStatus, Line
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ChildId, EntryId, SessionId, UserId, VenueId

LINE: Final[LiteralString] = """
    SELECT id AS session, status, starts_at, releases_at, released_at, last_queue_number AS last_number,
           sellable, booked_count AS booked, held_count AS held
      FROM activity_sessions
"""

# Says which session is worked on before it locks it: seats and queue belong to several families.
LOCK_LINE: Final[LiteralString] = (
    """
    SELECT s.*
      FROM set_config('nexus.session', %(session)s::text, true) AS h (session),
           LATERAL ("""
    + LINE
    + """
     WHERE id = h.session::uuid AND (%(venue)s::uuid IS NULL OR venue_id = %(venue)s)
       FOR UPDATE) s
"""
)

ENTRIES: Final[LiteralString] = """
    SELECT w.id, w.user_id AS parent, w.queue_number AS number, w.joined_at, w.status, w.overtaken,
           w.offered_at, w.offer_expires_at, w.ended_at, w.closed_reason,
           (SELECT array_agg(c.child_id ORDER BY c.ordinal) FROM waitlist_children c
             WHERE c.entry_id = w.id) AS children
      FROM waitlist w
     WHERE w.status IN ('waiting', 'offered')
"""

IN_LINE: Final[LiteralString] = " ORDER BY w.queue_number FOR UPDATE OF w"
"""
Not SKIP LOCKED: stepping over a locked row would jump the queue.

The session is locked already, and everybody who changes its queue locks it first.
"""

READ_ENTRIES: Final[LiteralString] = (
    ENTRIES
    + """
       AND w.session_id = %(session)s
       AND (%(venue)s::uuid IS NULL
            OR EXISTS (SELECT FROM activity_sessions s WHERE s.id = w.session_id AND s.venue_id = %(venue)s))
"""
    + IN_LINE
)

SAVE_SEATS: Final[LiteralString] = """
    UPDATE activity_sessions
       SET sellable = %(sellable)s, booked_count = %(booked)s, held_count = %(held)s,
           waiting_count = %(waiting)s, last_queue_number = %(last_number)s, released_at = %(released_at)s
     WHERE id = %(session)s
"""

ADD_ENTRY: Final[LiteralString] = """
    INSERT INTO waitlist (id, session_id, user_id, corporate_id, queue_number, seats, status, joined_at)
    SELECT %(id)s, %(session)s, id, corporate_id, %(number)s, %(seats)s, 'waiting', %(joined_at)s
      FROM users
     WHERE id = %(parent)s
"""

ADD_CHILDREN: Final[LiteralString] = """
    INSERT INTO waitlist_children (entry_id, session_id, user_id, child_id, ordinal)
    SELECT %(id)s, %(session)s, %(parent)s, child, ordinal
      FROM unnest(%(children)s::uuid[]) WITH ORDINALITY AS c (child, ordinal)
"""

SAVE_ENTRIES: Final[LiteralString] = """
    WITH changed AS (
        UPDATE waitlist w
           SET status = n.status, overtaken = n.overtaken, offered_at = n.offered_at,
               offer_expires_at = n.offer_expires_at, ended_at = n.ended_at, closed_reason = n.closed_reason
          FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(overtaken)s::int[], %(offered_at)s::timestamptz[],
                      %(expires_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(reasons)s::text[])
               AS n (id, status, overtaken, offered_at, offer_expires_at, ended_at, closed_reason)
         WHERE w.id = n.id
        RETURNING w.id, n.ended_at IS NULL AS is_active
    )
    UPDATE waitlist_children c
       SET is_active = false
      FROM changed
     WHERE c.entry_id = changed.id AND NOT changed.is_active
"""

SESSION_OF_ENTRY: Final[LiteralString] = """
    SELECT session_id FROM waitlist WHERE id = %(entry)s AND user_id = %(parent)s
"""

CHILDREN_OF_ENTRY: Final[LiteralString] = """
    SELECT c.child_id
      FROM waitlist_children c
      JOIN waitlist w ON w.id = c.entry_id
     WHERE w.id = %(entry)s AND w.user_id = %(parent)s
     ORDER BY c.ordinal
"""

STATUS_OF_ENTRY: Final[LiteralString] = "SELECT status FROM waitlist WHERE id = %(entry)s"

WAITING_FOR: Final[LiteralString] = """
    SELECT session_id FROM waitlist_children WHERE child_id = %(child)s AND is_active ORDER BY session_id
"""

# As the index on it says: over as soon as nobody can be offered anything, due when seats go back to the venue.
_LINE_IS_DUE: Final[LiteralString] = """
    CASE WHEN s.status <> 'scheduled' THEN '-infinity'
         WHEN s.released_at IS NULL THEN least(s.starts_at, s.releases_at)
         ELSE s.starts_at END <= %(at)s
"""

DUE_SESSIONS: Final[LiteralString] = (
    """
    SELECT session_id FROM waitlist WHERE status = 'offered' AND offer_expires_at <= %(at)s
     UNION
    SELECT session_id FROM bookings WHERE status = 'pending' AND confirm_by <= %(at)s
     UNION
    SELECT id
      FROM activity_sessions s
     WHERE has_line AND """
    + _LINE_IS_DUE
    + """
     UNION
    SELECT w.session_id
      FROM waitlist w
      JOIN activity_sessions s ON s.id = w.session_id
     WHERE w.status = 'offered' AND """
    + _LINE_IS_DUE
    + """
     ORDER BY session_id
     LIMIT %(limit)s
"""
)

RELEASE: Final[LiteralString] = """
    WITH due AS (
        SELECT id FROM activity_sessions
         WHERE status = 'scheduled' AND released_at IS NULL AND releases_at <= %(at)s AND waiting_count = 0
         ORDER BY releases_at
         LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED
    )
    UPDATE activity_sessions
       SET sellable = booked_count + held_count, released_at = %(at)s
     WHERE id IN (SELECT id FROM due) AND released_at IS NULL
"""


def as_line(row: dict[str, Any], entries: Sequence[Entry]) -> Line:
    """The columns of :data:`LINE`, and who waits there."""
    seats = {name: row.pop(name) for name in ("sellable", "booked", "held")}
    return to_object({**row, "seats": seats, "entries": ()}, Line).with_entries(entries)


class PostgresLines:
    """The table ``waitlist`` together with the seats of ``activity_sessions``."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def lock(self, session: SessionId, *, venue: VenueId | None = None) -> Line:
        # One round trip; the queue is read when the session is locked, and as it is then.
        values = {"session": session, "venue": venue}
        with self._connection.said_first():
            locked = self._connection.cursor(row_factory=dict_row).execute(LOCK_LINE, values)
            entries = self._connection.cursor(row_factory=as_object(Entry)).execute(READ_ENTRIES, values)
        row = locked.fetchone()
        if row is None:
            raise NoSuchThing("session")
        return as_line(row, entries.fetchall())

    def save(self, before: Line, after: Line) -> None:
        self._connection.later(
            SAVE_SEATS,
            {
                "session": after.session,
                "sellable": after.seats.sellable,
                "booked": after.seats.booked,
                "held": after.seats.held,
                "waiting": after.waiting,
                "last_number": after.last_number,
                "released_at": after.released_at,
            },
        )
        known = {entry.id: entry for entry in before.entries}
        entries = (*after.entries, *after.gone)
        added = [entry for entry in entries if entry.id not in known]
        # What ended makes room first: a child may leave the line and join it again in one change.
        self._change([entry for entry in entries if entry.id in known and entry != known[entry.id]])
        for entry in added:
            self._add(entry, after.session)
        self._change([entry for entry in added if entry.status is not EntryStatus.WAITING])

    def _change(self, entries: Sequence[Entry]) -> None:
        if entries:
            self._connection.later(
                SAVE_ENTRIES,
                {
                    "ids": [entry.id for entry in entries],
                    "statuses": [entry.status.value for entry in entries],
                    "overtaken": [entry.overtaken for entry in entries],
                    "offered_at": [entry.offered_at for entry in entries],
                    "expires_at": [entry.offer_expires_at for entry in entries],
                    "ended_at": [entry.ended_at for entry in entries],
                    "reasons": [entry.closed_reason for entry in entries],
                },
            )

    def _add(self, entry: Entry, session: SessionId) -> None:
        values = {
            "id": entry.id,
            "session": session,
            "parent": entry.parent,
            "number": entry.number,
            "seats": entry.seats,
            "joined_at": entry.joined_at,
            "children": list(entry.children),
        }
        self._connection.later(ADD_ENTRY, values)
        self._connection.later(ADD_CHILDREN, values)

    def session_of(self, entry: EntryId, *, parent: UserId) -> SessionId:
        row = self._connection.execute(SESSION_OF_ENTRY, {"entry": entry, "parent": parent}).fetchone()
        if row is None:
            raise NoSuchThing("waitlist entry")
        return SessionId(row[0])

    def children_of(self, entry: EntryId, *, parent: UserId) -> tuple[ChildId, ...]:
        rows = self._connection.execute(CHILDREN_OF_ENTRY, {"entry": entry, "parent": parent}).fetchall()
        if not rows:
            raise NoSuchThing("waitlist entry")
        return tuple(ChildId(row[0]) for row in rows)

    def status_of(self, entry: EntryId) -> str:
        row = self._connection.execute(STATUS_OF_ENTRY, {"entry": entry}).fetchone()
        if row is None:
            raise NoSuchThing("waitlist entry")
        return str(row[0])

    def waiting_for(self, child: ChildId) -> tuple[SessionId, ...]:
        rows = self._connection.execute(WAITING_FOR, {"child": child}).fetchall()
        return tuple(SessionId(row[0]) for row in rows)

    def due(self, *, at: datetime, limit: int) -> tuple[SessionId, ...]:
        rows = self._connection.execute(DUE_SESSIONS, {"at": at, "limit": limit}).fetchall()
        return tuple(SessionId(row[0]) for row in rows)

    def release(self, *, at: datetime, limit: int) -> int:
        return self._connection.execute(RELEASE, {"at": at, "limit": limit}).rowcount
