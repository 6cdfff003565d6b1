-- API keys for integrations. A key acts for the account that made it, in the role
-- and tenant that the account had then; of the key itself only a keyed digest is kept.

CREATE TABLE api_keys (
    id                    uuid        PRIMARY KEY,
    user_id               uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    role                  text        NOT NULL CHECK (role IN ('hr_admin', 'venue_admin', 'platform_admin')),
    corporate_id          uuid        REFERENCES corporates ON DELETE RESTRICT,
    venue_id              uuid        REFERENCES venues ON DELETE RESTRICT,
    name                  text        NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description           text        CHECK (length(description) BETWEEN 1 AND 2000),
    key_type              text        NOT NULL
        CHECK (key_type IN ('integration', 'service', 'webhook', 'testing')),
    key_prefix            text        NOT NULL UNIQUE CHECK (key_prefix ~ '^[0-9a-z]{8}$'),
    key_hash              bytea       NOT NULL CHECK (length(key_hash) = 32),
    scopes                text[]      NOT NULL CHECK (cardinality(scopes) > 0),
    rate_limit_per_minute integer     NOT NULL DEFAULT 60 CHECK (rate_limit_per_minute > 0),
    rate_limit_per_day    integer     NOT NULL DEFAULT 10000 CHECK (rate_limit_per_day > 0),
    -- Empty: accepted from anywhere.
    allowed_networks      cidr[]      NOT NULL DEFAULT '{}',
    created_at            timestamptz NOT NULL,
    expires_at            timestamptz NOT NULL,
    -- The key that this one was rotated from; a key is rotated once.
    replaces              uuid        UNIQUE REFERENCES api_keys ON DELETE RESTRICT,
    revoked_at            timestamptz,
    revoked_by            uuid        REFERENCES users ON DELETE RESTRICT,
    revoke_reason         text,
    -- Written about once a minute by each process that answers, not with each request.
    total_requests        bigint      NOT NULL DEFAULT 0,
    last_used_at          timestamptz,
    last_used_ip          inet,
    CONSTRAINT role_decides_tenant CHECK (
        (role = 'hr_admin') = (corporate_id IS NOT NULL)
        AND (role = 'venue_admin') = (venue_id IS NOT NULL)),
    CONSTRAINT lives_a_year_at_most CHECK (
        expires_at >= created_at AND expires_at <= created_at + interval '366 days'),
    CONSTRAINT revoked_by_somebody_for_a_reason CHECK (
        (revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX api_keys_user ON api_keys (user_id, created_at, id);
CREATE INDEX api_keys_newest ON api_keys (created_at, id);

-- Keys are not deleted, and what a key may do is never changed.
REVOKE ALL ON api_keys FROM nexus_app;
GRANT SELECT, INSERT ON api_keys TO nexus_app;
GRANT UPDATE (key_hash, expires_at, revoked_at, revoked_by, revoke_reason,
              total_requests, last_used_at, last_used_ip) ON api_keys TO nexus_app;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_keys ON api_keys
    USING (current_setting('nexus.scope', true) = 'platform'
           OR user_id = nullif(current_setting('nexus.user', true), '')::uuid);
