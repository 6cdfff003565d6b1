-- What the rows of imported catalogues said when they were last taken over, so
-- that the same row changes nothing and another one brings its activity up to date.
CREATE TABLE imported_programmes (
    external_ref text        PRIMARY KEY,
    activity_id  uuid        NOT NULL REFERENCES activities ON DELETE CASCADE,
    fingerprint  bytea       NOT NULL,
    imported_at  timestamptz NOT NULL
);
CREATE INDEX imported_programmes_activity ON imported_programmes (activity_id);
