-- What venues offer: activities, weekly schedules, sessions with their seats.

CREATE TABLE activities (
    id                         uuid          PRIMARY KEY,
    venue_id                   uuid          NOT NULL REFERENCES venues ON DELETE RESTRICT,
    name                       text          NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    slug                       text          NOT NULL,
    category                   text          NOT NULL CHECK (category IN (
        'stem', 'arts_crafts', 'music', 'sports', 'nature',
        'cooking', 'reading', 'building', 'dance', 'drama')),
    short_description          text          CHECK (length(short_description) <= 150),
    full_description           text,
    min_age                    smallint      NOT NULL CHECK (min_age BETWEEN 0 AND 18),
    max_age                    smallint      NOT NULL CHECK (max_age BETWEEN 0 AND 18),
    duration_minutes           integer       NOT NULL CHECK (duration_minutes > 0),
    credits_required           integer       NOT NULL CHECK (credits_required > 0),
    capacity_per_session       integer       NOT NULL CHECK (capacity_per_session > 0),
    tags                       text[]        NOT NULL DEFAULT '{}',
    accessibility_features     text[]        NOT NULL DEFAULT '{}',
    what_to_bring              text[]        NOT NULL DEFAULT '{}',
    parent_attendance_required boolean       NOT NULL
        GENERATED ALWAYS AS ('parent_required' = ANY (tags)) STORED,
    skill_level                text          NOT NULL DEFAULT 'beginner'
        CHECK (skill_level IN ('beginner', 'intermediate', 'advanced')),
    is_active                  boolean       NOT NULL DEFAULT true,
    is_published               boolean       NOT NULL DEFAULT false,
    average_rating             numeric(3, 2) NOT NULL DEFAULT 0 CHECK (average_rating BETWEEN 0 AND 5),
    total_reviews              integer       NOT NULL DEFAULT 0,
    external_ref               text          UNIQUE,
    created_at                 timestamptz   NOT NULL,
    version                    integer       NOT NULL DEFAULT 1,
    search                     tsvector      NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A')
        || setweight(to_tsvector('english', coalesce(short_description, '')), 'B')
        || setweight(to_tsvector('english', coalesce(full_description, '')), 'C')) STORED,
    CHECK (min_age <= max_age),
    UNIQUE (venue_id, slug),
    UNIQUE (id, venue_id)
);
CREATE INDEX activities_search ON activities USING gin (search);
CREATE INDEX activities_name_parts ON activities USING gin (name gin_trgm_ops);
CREATE INDEX activities_category ON activities (category) WHERE is_active AND is_published;
CREATE INDEX activities_by_name ON activities ((lower(name) COLLATE "C"), id) WHERE is_active AND is_published;
CREATE INDEX activities_by_rating ON activities ((-average_rating), id) WHERE is_active AND is_published;
CREATE INDEX activities_venue ON activities (venue_id, created_at DESC, id DESC);

CREATE TABLE activity_recurring_schedules (
    id                       uuid        PRIMARY KEY,
    activity_id              uuid        NOT NULL,
    venue_id                 uuid        NOT NULL,
    schedule_name            text,
    days_of_week             smallint[]  NOT NULL
        CHECK (cardinality(days_of_week) BETWEEN 1 AND 7 AND days_of_week <@ '{1,2,3,4,5,6,7}'),
    start_time               time        NOT NULL,
    duration_minutes         integer     NOT NULL CHECK (duration_minutes BETWEEN 1 AND 1440),
    capacity                 integer     NOT NULL CHECK (capacity > 0),
    platform_allocated_spots integer     CHECK (platform_allocated_spots BETWEEN 0 AND capacity),
    effective_from           date        NOT NULL,
    effective_until          date        CHECK (effective_until >= effective_from),
    skipped_dates            date[]      NOT NULL DEFAULT '{}',
    is_active                boolean     NOT NULL DEFAULT true,
    generated_until          date,
    external_ref             text        UNIQUE,
    created_at               timestamptz NOT NULL,
    version                  integer     NOT NULL DEFAULT 1,
    FOREIGN KEY (activity_id, venue_id) REFERENCES activities (id, venue_id) ON DELETE RESTRICT
);
CREATE INDEX activity_recurring_schedules_activity ON activity_recurring_schedules (activity_id);
CREATE INDEX activity_recurring_schedules_venue
    ON activity_recurring_schedules (venue_id, created_at DESC, id DESC);
CREATE INDEX activity_recurring_schedules_due
    ON activity_recurring_schedules (generated_until NULLS FIRST, id) WHERE is_active;

-- No index may contain a counter: every booking changes one, and would then
-- rewrite the index too instead of updating the row in place.
CREATE TABLE activity_sessions (
    id                       uuid        PRIMARY KEY,
    activity_id              uuid        NOT NULL,
    venue_id                 uuid        NOT NULL,
    recurring_schedule_id    uuid        REFERENCES activity_recurring_schedules ON DELETE RESTRICT,
    session_date             date        NOT NULL,
    start_time               time        NOT NULL,
    end_time                 time        NOT NULL,
    timezone                 text        NOT NULL,
    time_of_day              text        NOT NULL CHECK (time_of_day IN ('morning', 'afternoon', 'evening')),
    starts_at                timestamptz NOT NULL,
    ends_at                  timestamptz NOT NULL,
    credits_required         integer     NOT NULL CHECK (credits_required > 0),
    total_capacity           integer     NOT NULL CHECK (total_capacity > 0),
    platform_allocated_spots integer     CHECK (platform_allocated_spots BETWEEN 0 AND total_capacity),
    sellable                 integer     NOT NULL CHECK (sellable BETWEEN 0 AND total_capacity),
    booked_count             integer     NOT NULL DEFAULT 0 CHECK (booked_count >= 0),
    held_count               integer     NOT NULL DEFAULT 0 CHECK (held_count >= 0),
    waiting_count            integer     NOT NULL DEFAULT 0 CHECK (waiting_count >= 0),
    last_queue_number        integer     NOT NULL DEFAULT 0 CHECK (last_queue_number >= 0),
    -- When booking opens and when unsold seats return to the venue; NULL: no such limit.
    opens_at                 timestamptz,
    releases_at              timestamptz,
    released_at              timestamptz,
    status                   text        NOT NULL DEFAULT 'scheduled'
        CHECK (status IN ('scheduled', 'cancelled', 'completed')),
    status_reason            text,
    instructor_name          text,
    session_notes            text,
    location                 text,
    external_ref             text        UNIQUE,
    created_at               timestamptz NOT NULL,
    version                  integer     NOT NULL DEFAULT 1,
    CONSTRAINT ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT never_oversold CHECK (booked_count + held_count <= sellable),
    FOREIGN KEY (activity_id, venue_id) REFERENCES activities (id, venue_id) ON DELETE RESTRICT,
    UNIQUE (recurring_schedule_id, session_date, start_time)
);
CREATE INDEX activity_sessions_activity ON activity_sessions (activity_id, starts_at);
CREATE INDEX activity_sessions_venue ON activity_sessions (venue_id, starts_at, id);
CREATE INDEX activity_sessions_scheduled ON activity_sessions (starts_at) WHERE status = 'scheduled';
CREATE INDEX activity_sessions_due_release ON activity_sessions (releases_at)
    WHERE status = 'scheduled' AND released_at IS NULL;

-- Great-circle distance in kilometres (haversine, mean earth radius 6371 km).
CREATE FUNCTION distance_km(lat1 double precision, lng1 double precision,
                            lat2 double precision, lng2 double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12742 * asin(sqrt(least(1,
    power(sin(radians(lat2 - lat1) / 2), 2)
    + cos(radians(lat1)) * cos(radians(lat2)) * power(sin(radians(lng2 - lng1) / 2), 2))));
