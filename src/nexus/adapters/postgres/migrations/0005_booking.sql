-- Places that families hold or wait for, and what they are told.

CREATE TABLE bookings (
    id                    uuid        PRIMARY KEY,
    session_id            uuid        NOT NULL REFERENCES activity_sessions ON DELETE RESTRICT,
    child_id              uuid        NOT NULL,
    booked_by             uuid        NOT NULL,
    corporate_id          uuid        NOT NULL,
    venue_id              uuid        NOT NULL,
    status                text        NOT NULL CHECK (status IN (
        'pending', 'confirmed', 'completed', 'cancelled_parent', 'cancelled_venue', 'no_show')),
    group_booking_id      uuid,
    confirmation_code     text        NOT NULL UNIQUE,
    source                text        NOT NULL CHECK (source IN ('browse', 'waitlist', 'book_again')),
    credits_charged       integer     NOT NULL CHECK (credits_charged > 0),
    credits_refunded      integer     NOT NULL DEFAULT 0,
    credit_value_minor    integer     NOT NULL CHECK (credit_value_minor >= 0),
    currency              text        NOT NULL,
    debit_id              uuid        NOT NULL UNIQUE,
    -- The session's times, kept with it; they carry the rule against overlaps.
    starts_at             timestamptz NOT NULL,
    ends_at               timestamptz NOT NULL,
    -- How long the session was when it was booked, once that has changed.
    booked_length         interval    CHECK (booked_length > interval '0'),
    -- The venue moved the session onto another booking of the child: not the family's doing.
    overlap_excused       boolean     NOT NULL DEFAULT false,
    refundable_until      timestamptz NOT NULL,
    confirm_by            timestamptz,
    booked_at             timestamptz NOT NULL,
    confirmed_at          timestamptz,
    cancelled_at          timestamptz,
    cancellation_reason   text,
    cancellation_notes    text,
    attendance_marked_at  timestamptz,
    attendance_marked_by  uuid        REFERENCES users ON DELETE RESTRICT,
    original_booking_id   uuid        REFERENCES bookings ON DELETE RESTRICT,
    version               integer     NOT NULL DEFAULT 1,
    CONSTRAINT refunds_never_exceed_the_charge CHECK (credits_refunded BETWEEN 0 AND credits_charged),
    CONSTRAINT child_is_the_parents_own
        FOREIGN KEY (child_id, booked_by) REFERENCES children (id, parent_id) ON DELETE RESTRICT,
    FOREIGN KEY (booked_by, corporate_id) REFERENCES users (id, corporate_id) ON DELETE RESTRICT,
    CONSTRAINT one_place_at_a_time EXCLUDE USING gist (
        child_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (status IN ('pending', 'confirmed') AND NOT overlap_excused)
);
CREATE UNIQUE INDEX bookings_once_per_child_and_session ON bookings (session_id, child_id)
    WHERE status IN ('pending', 'confirmed');
CREATE INDEX bookings_parent ON bookings (booked_by, booked_at DESC, id DESC);
CREATE INDEX bookings_company ON bookings (corporate_id, booked_at);
CREATE INDEX bookings_child ON bookings (child_id, starts_at);
CREATE INDEX bookings_session ON bookings (session_id);
CREATE INDEX bookings_group ON bookings (group_booking_id) WHERE group_booking_id IS NOT NULL;
CREATE INDEX bookings_unanswered ON bookings (confirm_by) WHERE status = 'pending';
CREATE INDEX bookings_unfinished ON bookings (ends_at) WHERE status = 'confirmed';

ALTER TABLE credit_ledger ADD CONSTRAINT credit_ledger_booking
    FOREIGN KEY (booking_id) REFERENCES bookings ON DELETE RESTRICT;

-- One entry of the queue: one child, or siblings who want places together.
CREATE TABLE waitlist (
    id               uuid        PRIMARY KEY,
    session_id       uuid        NOT NULL REFERENCES activity_sessions ON DELETE RESTRICT,
    user_id          uuid        NOT NULL,
    corporate_id     uuid        NOT NULL,
    queue_number     integer     NOT NULL,
    seats            smallint    NOT NULL CHECK (seats > 0),
    status           text        NOT NULL CHECK (status IN (
        'waiting', 'offered', 'accepted', 'declined', 'expired', 'left', 'closed')),
    overtaken        smallint    NOT NULL DEFAULT 0 CHECK (overtaken BETWEEN 0 AND 3),
    joined_at        timestamptz NOT NULL,
    offered_at       timestamptz,
    offer_expires_at timestamptz,
    ended_at         timestamptz,
    closed_reason    text,
    CONSTRAINT offer_has_an_end CHECK (status <> 'offered' OR offer_expires_at IS NOT NULL),
    UNIQUE (session_id, queue_number),
    UNIQUE (id, session_id),
    FOREIGN KEY (user_id, corporate_id) REFERENCES users (id, corporate_id) ON DELETE RESTRICT
);
CREATE INDEX waitlist_line ON waitlist (session_id, queue_number) WHERE status IN ('waiting', 'offered');
CREATE INDEX waitlist_user ON waitlist (user_id, joined_at DESC, id DESC);
CREATE INDEX waitlist_open_offers ON waitlist (offer_expires_at) WHERE status = 'offered';

CREATE TABLE waitlist_children (
    entry_id   uuid     NOT NULL,
    session_id uuid     NOT NULL,
    child_id   uuid     NOT NULL REFERENCES children ON DELETE RESTRICT,
    ordinal    smallint NOT NULL,
    is_active  boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (entry_id, child_id),
    FOREIGN KEY (entry_id, session_id) REFERENCES waitlist (id, session_id) ON DELETE RESTRICT
);
CREATE UNIQUE INDEX waitlist_children_in_line_once ON waitlist_children (session_id, child_id) WHERE is_active;
CREATE INDEX waitlist_children_child ON waitlist_children (child_id) WHERE is_active;

CREATE TABLE notifications (
    id                  uuid        PRIMARY KEY,
    user_id             uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    event_id            uuid        NOT NULL,
    notification_type   text        NOT NULL,
    priority            text        NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    channel             text        NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp', 'push', 'in_app')),
    title               text        NOT NULL,
    body                text        NOT NULL,
    related_entity_type text,
    related_entity_id   uuid,
    created_at          timestamptz NOT NULL,
    read_at             timestamptz,
    -- An event may be handled again; nobody is told twice.
    UNIQUE NULLS NOT DISTINCT (event_id, user_id, channel, notification_type, related_entity_id)
);
CREATE INDEX notifications_user ON notifications (user_id, created_at DESC, id DESC);

-- The role that the application acts as. It may add to the append-only tables,
-- never change them, and owns nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nexus_app') THEN
        CREATE ROLE nexus_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of this server is being migrated at the same moment
END
$$;
GRANT USAGE ON SCHEMA public TO nexus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO nexus_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO nexus_app;
REVOKE UPDATE, DELETE ON credit_ledger, parental_consent_records FROM nexus_app;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM nexus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO nexus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO nexus_app;
GRANT nexus_app TO CURRENT_USER;
