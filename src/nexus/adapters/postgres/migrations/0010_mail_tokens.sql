-- Links that are mailed: to prove an address, to replace a forgotten password, to
-- choose the first one. Of each kind an account has one at most, the newest; of its
-- secret only the hash is kept.
CREATE TABLE mail_tokens (
    user_id    uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    purpose    text        NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'invitation')),
    token_hash bytea       NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    used_at    timestamptz,
    PRIMARY KEY (user_id, purpose)
);

REVOKE ALL ON mail_tokens FROM nexus_app;
GRANT SELECT, INSERT, UPDATE ON mail_tokens TO nexus_app;

-- Whoever uses a link has not proven yet who they are: that is the platform's work.
ALTER TABLE mail_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY mail_tokens_platform ON mail_tokens
    USING (current_setting('nexus.scope', true) = 'platform');

-- When a mail proved that the address is the person's own; it is not known of earlier accounts.
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;
GRANT UPDATE (email_verified_at) ON users TO nexus_app;
