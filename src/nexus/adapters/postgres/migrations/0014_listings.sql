-- Browsing walks in the order that was asked for and stops when its page is full. What it
-- judges on the way is one narrow row for each price of an activity, never a counter.

-- Nearness in the order of an index: positions as points on the unit sphere.
CREATE EXTENSION IF NOT EXISTS cube;
CREATE FUNCTION on_sphere(latitude double precision, longitude double precision)
RETURNS cube LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cube(ARRAY[cos(radians(latitude)) * cos(radians(longitude)),
                  cos(radians(latitude)) * sin(radians(longitude)),
                  sin(radians(latitude))]);

-- A booking changes a counter, but these only when it takes the last seat, and a family that
-- waits only when it is the first: all other changes stay in place. Rewrites the table once.
ALTER TABLE activity_sessions
    ADD COLUMN has_seats boolean NOT NULL GENERATED ALWAYS AS (sellable > booked_count + held_count) STORED,
    ADD COLUMN has_line boolean NOT NULL GENERATED ALWAYS AS (waiting_count > 0) STORED;

-- Along the calendar, by the times of day that are wanted. The price is not for the order: entries
-- that cost too much are passed over inside the index.
CREATE INDEX activity_sessions_calendar
    ON activity_sessions (time_of_day, starts_at, activity_id, credits_required) WHERE status = 'scheduled';
CREATE INDEX activity_sessions_with_seats
    ON activity_sessions (time_of_day, starts_at, activity_id, credits_required)
    WHERE status = 'scheduled' AND has_seats;

-- When the sweeper must look after those who wait for a session.
CREATE INDEX activity_sessions_due_lines ON activity_sessions ((
    CASE WHEN status <> 'scheduled' THEN '-infinity'
         WHEN released_at IS NULL THEN least(starts_at, releases_at)
         ELSE starts_at END)) WHERE has_line;

-- An activity at one of the prices that its sessions have had, with what searches ask of it
-- and of its venue. No session at this price starts after last_start, which may be later than
-- any: that time passes, that a session is cancelled, moved or sold out makes nothing wrong here.
CREATE TABLE listings (
    activity_id      uuid             NOT NULL,
    credits_required integer          NOT NULL,
    venue_id         uuid             NOT NULL,
    last_start       timestamptz      NOT NULL,
    is_offered       boolean          NOT NULL,
    is_open          boolean          NOT NULL,
    category         text             NOT NULL,
    min_age          smallint         NOT NULL,
    max_age          smallint         NOT NULL,
    tags             text[]           NOT NULL,
    insured_until    date,
    timezone         text             NOT NULL,
    latitude         double precision NOT NULL,
    longitude        double precision NOT NULL,
    position         cube             NOT NULL GENERATED ALWAYS AS (on_sphere(latitude, longitude)) STORED,
    PRIMARY KEY (activity_id, credits_required),
    FOREIGN KEY (activity_id, venue_id) REFERENCES activities (id, venue_id) ON DELETE RESTRICT
);
CREATE INDEX listings_venue ON listings (venue_id);
CREATE INDEX listings_by_price ON listings (credits_required, activity_id) WHERE is_offered AND is_open;
CREATE INDEX listings_by_place ON listings USING gist (position) WHERE is_offered AND is_open;

INSERT INTO listings (activity_id, credits_required, venue_id, last_start, is_offered, is_open, category, min_age,
                      max_age, tags, insured_until, timezone, latitude, longitude)
SELECT a.id, s.credits_required, v.id, s.last_start, a.is_active AND a.is_published, v.status = 'active', a.category,
       a.min_age, a.max_age, a.tags, v.insurance_expiry_date, v.timezone, v.latitude, v.longitude
  FROM (SELECT activity_id, credits_required, max(starts_at) AS last_start
          FROM activity_sessions GROUP BY activity_id, credits_required) s
  JOIN activities a ON a.id = s.activity_id
  JOIN venues v ON v.id = a.venue_id;

-- Who lists an activity for the first time reads its venue; who changes the venue or an activity
-- changes what is listed. Without this lock each could miss what the other has not committed.
CREATE FUNCTION listings_of(venue uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN uuid_hash_extended(venue, 14);

CREATE FUNCTION list_at(activity uuid, price integer, starts timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Sessions are planned a day further each day: a month at once is seldom written.
    UPDATE listings SET last_start = starts + interval '28 days'
     WHERE activity_id = activity AND credits_required = price AND last_start < starts;
    IF FOUND OR EXISTS (SELECT FROM listings WHERE activity_id = activity AND credits_required = price) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(listings_of(venue_id)) FROM activities WHERE id = activity;
    INSERT INTO listings (activity_id, credits_required, venue_id, last_start, is_offered, is_open, category, min_age,
                          max_age, tags, insured_until, timezone, latitude, longitude)
    SELECT a.id, price, v.id, starts, a.is_active AND a.is_published, v.status = 'active', a.category, a.min_age,
           a.max_age, a.tags, v.insurance_expiry_date, v.timezone, v.latitude, v.longitude
      FROM activities a
      JOIN venues v ON v.id = a.venue_id
     WHERE a.id = activity
    ON CONFLICT (activity_id, credits_required) DO UPDATE
       SET last_start = greatest(listings.last_start, excluded.last_start);
END
$$;

CREATE FUNCTION list_added_sessions() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- In one order, so that two who plan at once never wait for each other.
    PERFORM list_at(activity_id, credits_required, last_start)
       FROM (SELECT n.activity_id, n.credits_required, max(n.starts_at) AS last_start
               FROM added n
              GROUP BY n.activity_id, n.credits_required
              ORDER BY n.activity_id, n.credits_required) s
      WHERE NOT EXISTS (SELECT FROM listings l
                         WHERE l.activity_id = s.activity_id AND l.credits_required = s.credits_required
                           AND l.last_start >= s.last_start);
    RETURN NULL;
END
$$;
CREATE TRIGGER list_added AFTER INSERT ON activity_sessions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION list_added_sessions();

CREATE FUNCTION list_changed_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM list_at(NEW.activity_id, NEW.credits_required, NEW.starts_at);
    RETURN NULL;
END
$$;
-- A booking names none of these columns, and so never comes here.
CREATE TRIGGER list_changed AFTER UPDATE OF activity_id, credits_required, starts_at ON activity_sessions
    FOR EACH ROW
    WHEN (OLD.activity_id <> NEW.activity_id OR OLD.credits_required <> NEW.credits_required
          OR OLD.starts_at <> NEW.starts_at)
    EXECUTE FUNCTION list_changed_session();

CREATE FUNCTION list_changed_activity() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(listings_of(NEW.venue_id));
    UPDATE listings
       SET is_offered = NEW.is_active AND NEW.is_published, category = NEW.category, min_age = NEW.min_age,
           max_age = NEW.max_age, tags = NEW.tags
     WHERE activity_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER list_changed AFTER UPDATE OF is_active, is_published, category, min_age, max_age, tags ON activities
    FOR EACH ROW
    WHEN ((OLD.is_active, OLD.is_published, OLD.category, OLD.min_age, OLD.max_age, OLD.tags)
          IS DISTINCT FROM (NEW.is_active, NEW.is_published, NEW.category, NEW.min_age, NEW.max_age, NEW.tags))
    EXECUTE FUNCTION list_changed_activity();

CREATE FUNCTION list_changed_venue() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(listings_of(NEW.id));
    UPDATE listings
       SET is_open = NEW.status = 'active', insured_until = NEW.insurance_expiry_date, timezone = NEW.timezone,
           latitude = NEW.latitude, longitude = NEW.longitude
     WHERE venue_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER list_changed AFTER UPDATE OF status, insurance_expiry_date, timezone, latitude, longitude ON venues
    FOR EACH ROW
    WHEN ((OLD.status, OLD.insurance_expiry_date, OLD.timezone, OLD.latitude, OLD.longitude)
          IS DISTINCT FROM (NEW.status, NEW.insurance_expiry_date, NEW.timezone, NEW.latitude, NEW.longitude))
    EXECUTE FUNCTION list_changed_venue();

-- Everybody finds; what is listed changes with a session, an activity or a venue, by whoever may change those.
ALTER TABLE listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE listings FORCE ROW LEVEL SECURITY;
CREATE POLICY catalogue ON listings FOR SELECT USING (true);
CREATE POLICY offered ON listings FOR INSERT WITH CHECK (for_platform() OR venue_id = for_venue());
CREATE POLICY changed ON listings FOR UPDATE USING (for_platform() OR venue_id = for_venue());
REVOKE ALL ON listings FROM nexus_app;
GRANT SELECT, INSERT ON listings TO nexus_app;
GRANT UPDATE (last_start, is_offered, is_open, category, min_age, max_age, tags, insured_until, timezone, latitude,
    longitude) ON listings TO nexus_app;
