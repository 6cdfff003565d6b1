-- What is watched: each run of the checks of the data, and events that wait for people.

-- How many rows broke each promise, never which.
CREATE TABLE verifications (
    id       uuid             PRIMARY KEY,
    at       timestamptz      NOT NULL,
    seconds  double precision NOT NULL CHECK (seconds >= 0),
    findings jsonb            NOT NULL
);
CREATE INDEX verifications_newest ON verifications (at DESC, id DESC);

REVOKE ALL ON verifications FROM nexus_app;
GRANT SELECT, INSERT, DELETE ON verifications TO nexus_app;

ALTER TABLE verifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE verifications FORCE ROW LEVEL SECURITY;
CREATE POLICY verifications_of_the_platform ON verifications
    USING (current_setting('nexus.scope', true) = 'platform');

CREATE INDEX outbox_parked ON outbox (position) WHERE handled_at IS NULL AND parked_at IS NOT NULL;
