-- Second factors, half-done sign-ins, and how long a sign-in lasts.

-- Sign-ins from before this migration keep the thirty days that they were promised;
-- new ones state their limits, and who forgets gets the strict ones.
ALTER TABLE user_sessions
    ADD COLUMN last_seen_at      timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN idle_limit        interval    NOT NULL DEFAULT '30 days' CHECK (idle_limit > interval '0'),
    ADD COLUMN is_remembered     boolean     NOT NULL DEFAULT true,
    ADD COLUMN has_second_factor boolean     NOT NULL DEFAULT false,
    ADD COLUMN address           text        CHECK (length(address) <= 100),
    ADD COLUMN device            text        CHECK (length(device) <= 100);
ALTER TABLE user_sessions
    ALTER COLUMN idle_limit SET DEFAULT '1 hour',
    ALTER COLUMN is_remembered SET DEFAULT false;
CREATE INDEX user_sessions_ended ON user_sessions (expires_at);

-- Why an account is disabled, for the platform's administrators.
ALTER TABLE users
    ADD COLUMN disabled_at     timestamptz,
    ADD COLUMN disabled_reason text CHECK (length(disabled_reason) <= 500);

-- Seeds are sealed, each for its own column and row. last_step only grows: a code
-- works once because its step is stored by an UPDATE that takes later steps only.
CREATE TABLE second_factors (
    user_id        uuid        PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    seed           bytea,
    last_step      bigint      NOT NULL DEFAULT 0,
    confirmed_at   timestamptz,
    pending_seed   bytea,
    pending_since  timestamptz,
    attempts       integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    attempts_since timestamptz,
    CONSTRAINT confirmed_with_its_seed CHECK ((seed IS NULL) = (confirmed_at IS NULL)),
    CONSTRAINT pending_with_its_seed CHECK ((pending_seed IS NULL) = (pending_since IS NULL))
);

-- Only hashes; the codes have 125 random bits.
CREATE TABLE recovery_codes (
    user_id    uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    code_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

-- Somebody has shown the right password and still owes the second factor.
CREATE TABLE sign_in_challenges (
    token_hash bytea       PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    remember   boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries      smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0),
    closed_at  timestamptz
);
CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_ended ON sign_in_challenges (expires_at);

REVOKE ALL ON second_factors, recovery_codes, sign_in_challenges FROM nexus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factors TO nexus_app;
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON recovery_codes TO nexus_app;
GRANT SELECT, INSERT, DELETE, UPDATE (tries, closed_at) ON sign_in_challenges TO nexus_app;
GRANT DELETE, UPDATE (last_seen_at) ON user_sessions TO nexus_app;
GRANT UPDATE (is_active, disabled_at, disabled_reason) ON users TO nexus_app;

ALTER TABLE second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factors FORCE ROW LEVEL SECURITY;
CREATE POLICY second_factors_own ON second_factors
    USING (current_setting('nexus.scope', true) = 'platform'
           OR user_id = nullif(current_setting('nexus.user', true), '')::uuid);

ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY recovery_codes_own ON recovery_codes
    USING (current_setting('nexus.scope', true) = 'platform'
           OR user_id = nullif(current_setting('nexus.user', true), '')::uuid);

ALTER TABLE sign_in_challenges ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_challenges FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_challenges_own ON sign_in_challenges
    USING (current_setting('nexus.scope', true) = 'platform'
           OR user_id = nullif(current_setting('nexus.user', true), '')::uuid);
