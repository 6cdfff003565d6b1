-- What everything else stands on: extensions, append-only tables, settings,
-- commands that take effect once, the outbox, scheduled jobs.
--
-- The application never acts as the owner of these tables: it acts as nexus_app,
-- which can neither disable a trigger nor alter a table.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Triggers that call this are ENABLE ALWAYS, so that replication mode does not
-- switch them off, and cover TRUNCATE, which row triggers do not see.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

-- Every setting is effective-dated: the value in force at an instant is the one
-- with the latest effective_from not after it.
CREATE TABLE platform_settings (
    key            text        NOT NULL,
    effective_from timestamptz NOT NULL,
    value          jsonb       NOT NULL,
    updated_by     uuid,
    PRIMARY KEY (key, effective_from)
);

-- One row per command that a client named with an Idempotency-Key; the reply is
-- stored in the transaction that carried the command out.
CREATE TABLE command_keys (
    actor_id     uuid        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint  bytea       NOT NULL,
    status       smallint,
    media_type   text,
    body         bytea,
    claimed_at   timestamptz NOT NULL,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX command_keys_claimed_at ON command_keys (claimed_at);

-- Events that must reach the background. handled_at is set in the transaction of
-- the handler: it is both the inbox and the proof that nothing is lost with the broker.
CREATE TABLE outbox (
    id          uuid        PRIMARY KEY,
    position    bigint      GENERATED ALWAYS AS IDENTITY,
    type        text        NOT NULL,
    payload     jsonb       NOT NULL,
    occurred_at timestamptz NOT NULL,
    sent_at     timestamptz,
    handled_at  timestamptz,
    attempts    integer     NOT NULL DEFAULT 0,
    last_error  text,
    parked_at   timestamptz
);
CREATE INDEX outbox_unhandled ON outbox (position) WHERE handled_at IS NULL AND parked_at IS NULL;

-- A job and the period it ran for: the primary key makes several schedulers safe.
CREATE TABLE job_runs (
    job    text        NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (job, due_at)
);

-- How far the shared clock is ahead of the real one; only a development
-- installation reads it.
CREATE TABLE development_clock (
    only_row boolean  PRIMARY KEY DEFAULT true CHECK (only_row),
    ahead    interval NOT NULL
);
