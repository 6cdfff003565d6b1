-- Who did what to which entity, when and from where. Entries are added and never
-- changed; a month that is older than two years is dropped as a whole.

-- The application reaches the months through audit_logs only: it may not even name them.
CREATE SCHEMA audit;

-- No foreign keys: the log outlives what it tells of, and nothing cascades into it.
-- created_at is the database's own clock, and the application is not granted to state it.
CREATE TABLE audit_logs (
    id              uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    action_category text        NOT NULL,
    action_type     text        NOT NULL,
    severity        text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    entity_type     text        NOT NULL,
    entity_id       uuid,
    cause           text        NOT NULL CHECK (cause IN ('person', 'api_key', 'platform', 'nobody')),
    user_id         uuid,
    role            text,
    api_key_id      uuid,
    session_id      text,
    corporate_id    uuid,
    venue_id        uuid,
    ip_address      inet,
    request_id      text,
    old_values      jsonb,
    new_values      jsonb,
    old_sealed      bytea,
    new_sealed      bytea,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX audit_logs_newest ON audit_logs (created_at DESC, id DESC);
CREATE INDEX audit_logs_user ON audit_logs (user_id, created_at DESC, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX audit_logs_entity ON audit_logs (entity_id, created_at DESC, id DESC) WHERE entity_id IS NOT NULL;
CREATE INDEX audit_logs_request ON audit_logs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_logs_severe ON audit_logs (created_at DESC, id DESC) WHERE severity <> 'info';

-- Each partition gets its own copy of the row trigger, firing like this one.
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_logs_never_truncated BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_append_only;
ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_never_truncated;

REVOKE ALL ON audit_logs FROM nexus_app;
GRANT SELECT ON audit_logs TO nexus_app;
GRANT INSERT (id, action_category, action_type, severity, entity_type, entity_id, cause, user_id, role,
              api_key_id, session_id, corporate_id, venue_id, ip_address, request_id,
              old_values, new_values, old_sealed, new_sealed)
    ON audit_logs TO nexus_app;

-- Everybody's deeds are recorded, and the platform alone reads them.
ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_recorded ON audit_logs FOR INSERT WITH CHECK (true);
CREATE POLICY audit_logs_read ON audit_logs FOR SELECT
    USING (current_setting('nexus.scope', true) = 'platform');

-- Built beside the log and attached when it is complete: who writes meanwhile does not wait.
CREATE FUNCTION audit.add_month(first date) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month text := 'audit_logs_' || to_char(first, 'YYYY_MM');
BEGIN
    EXECUTE format('CREATE TABLE audit.%I (LIKE public.audit_logs INCLUDING ALL)', month);
    EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', month);
    EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER never_truncated', month);
    EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY', month);
    EXECUTE format('ALTER TABLE audit.%I FORCE ROW LEVEL SECURITY', month);
    EXECUTE format('ALTER TABLE public.audit_logs ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)',
                   month, first::timestamptz, (first + interval '1 month')::timestamptz);
    RETURN month;
END
$$;

-- What the application's role may do about months, although it owns none: have this
-- month and the twelve after it, and lose those whose every entry is old enough. A year
-- ahead, so that nobody's command ever fails because a job did not run.
CREATE FUNCTION keep_audit_months(keep_days integer) RETURNS TABLE (change text, month text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    first date;
    old   text;
BEGIN
    IF keep_days IS NULL OR keep_days < 730 THEN
        RAISE EXCEPTION 'the audit log is kept for two years at least' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(7020650412053296);  -- two that keep the months do it in turn
    FOR first IN SELECT (date_trunc('month', now()) + make_interval(months => n))::date
                   FROM generate_series(0, 12) n LOOP
        IF to_regclass(format('audit.%I', 'audit_logs_' || to_char(first, 'YYYY_MM'))) IS NULL THEN
            change := 'added';
            month := audit.add_month(first);
            RETURN NEXT;
        END IF;
    END LOOP;
    FOR old IN SELECT c.relname
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'public.audit_logs'::regclass
                  AND substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz
                      <= now() - make_interval(days => keep_days)
                ORDER BY c.relname LOOP
        EXECUTE format('DROP TABLE audit.%I', old);
        change := 'dropped';
        month := old;
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION audit.add_month(date), keep_audit_months(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_audit_months(integer) TO nexus_app;
SELECT keep_audit_months(730);
