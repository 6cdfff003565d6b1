-- Every child's own key, sealed under the installation's. What is sealed about a
-- child is sealed under it: without this row's key nobody reads any of it again.
CREATE TABLE child_keys (
    child_id     uuid        PRIMARY KEY,
    parent_id    uuid        NOT NULL,
    key          bytea,
    created_at   timestamptz NOT NULL,
    destroyed_at timestamptz,
    CONSTRAINT destroyed_is_gone CHECK ((key IS NULL) = (destroyed_at IS NOT NULL)),
    FOREIGN KEY (child_id, parent_id) REFERENCES children (id, parent_id) ON DELETE RESTRICT
);
REVOKE ALL ON child_keys FROM nexus_app;
GRANT SELECT, INSERT, UPDATE (key, destroyed_at) ON child_keys TO nexus_app;

ALTER TABLE child_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE child_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY child_keys_of_the_family ON child_keys
    USING (current_setting('nexus.scope', true) = 'platform'
           OR parent_id = nullif(current_setting('nexus.user', true), '')::uuid);
