-- Companies, venues, people and their sign-ins.

CREATE TABLE corporates (
    id                    uuid        PRIMARY KEY,
    company_name          text        NOT NULL CHECK (length(company_name) BETWEEN 1 AND 255),
    timezone              text        NOT NULL,
    industry              text,
    employee_count        integer     CHECK (employee_count > 0),
    primary_contact_name  text        NOT NULL,
    primary_contact_email citext      NOT NULL,
    payment_terms_days    integer     NOT NULL DEFAULT 30 CHECK (payment_terms_days >= 0),
    contract_start_date   date        NOT NULL,
    contract_end_date     date        CHECK (contract_end_date > contract_start_date),
    is_active             boolean     NOT NULL DEFAULT true,
    created_at            timestamptz NOT NULL
);

CREATE TABLE venues (
    id                         uuid             PRIMARY KEY,
    name                       text             NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    slug                       text             NOT NULL UNIQUE,
    short_description          text             CHECK (length(short_description) <= 150),
    full_description           text,
    status                     text             NOT NULL DEFAULT 'pending_approval'
        CHECK (status IN ('pending_approval', 'active', 'suspended', 'rejected')),
    status_reason              text,
    timezone                   text             NOT NULL,
    address_line1              text             NOT NULL,
    city                       text             NOT NULL,
    state                      text             NOT NULL,
    postal_code                text             NOT NULL,
    country                    text             NOT NULL DEFAULT 'US',
    latitude                   double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude                  double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    contact_email              citext,
    contact_phone              text,
    insurance_coverage_minor   bigint           CHECK (insurance_coverage_minor >= 100000000),
    insurance_expiry_date      date,
    background_check_completed boolean          NOT NULL DEFAULT false,
    safety_audit_completed     boolean          NOT NULL DEFAULT false,
    accessibility_features     text[]           NOT NULL DEFAULT '{}',
    closed_dates               date[]           NOT NULL DEFAULT '{}',
    is_premium                 boolean          NOT NULL DEFAULT false,
    requires_confirmation      boolean          NOT NULL DEFAULT false,
    confirmation_hours         integer          NOT NULL DEFAULT 24 CHECK (confirmation_hours > 0),
    block_booking_advance_days integer          NOT NULL DEFAULT 30 CHECK (block_booking_advance_days >= 0),
    inventory_release_hours    integer          NOT NULL DEFAULT 72 CHECK (inventory_release_hours >= 0),
    platform_fee_basis_points  integer          NOT NULL DEFAULT 1750
        CHECK (platform_fee_basis_points BETWEEN 0 AND 10000),
    current_performance_score  numeric(5, 2)    NOT NULL DEFAULT 50
        CHECK (current_performance_score BETWEEN 0 AND 100),
    external_ref               text             UNIQUE,
    approved_at                timestamptz,
    created_at                 timestamptz      NOT NULL,
    version                    integer          NOT NULL DEFAULT 1
);
CREATE INDEX venues_place ON venues (latitude, longitude) WHERE status = 'active';

CREATE TABLE users (
    id              uuid        PRIMARY KEY,
    email           citext      NOT NULL UNIQUE,
    password_hash   text,
    role            text        NOT NULL
        CHECK (role IN ('parent', 'hr_admin', 'venue_admin', 'platform_admin')),
    first_name      text        NOT NULL CHECK (length(first_name) BETWEEN 1 AND 100),
    last_name       text        NOT NULL CHECK (length(last_name) BETWEEN 1 AND 100),
    phone           text,
    department      text,
    corporate_id    uuid        REFERENCES corporates ON DELETE RESTRICT,
    venue_id        uuid        REFERENCES venues ON DELETE RESTRICT,
    timezone        text        NOT NULL,
    monthly_credits integer     CHECK (monthly_credits > 0),
    is_active       boolean     NOT NULL DEFAULT true,
    joined_at       timestamptz NOT NULL,
    left_at         timestamptz,
    CONSTRAINT role_decides_tenant CHECK (
        (role IN ('parent', 'hr_admin')) = (corporate_id IS NOT NULL)
        AND (role = 'venue_admin') = (venue_id IS NOT NULL)),
    UNIQUE (id, corporate_id)
);
CREATE INDEX users_company ON users (corporate_id, joined_at, id) WHERE corporate_id IS NOT NULL;
CREATE INDEX users_venue ON users (venue_id) WHERE venue_id IS NOT NULL;

-- A sign-in: only the hash of its token is kept.
CREATE TABLE user_sessions (
    token_hash bytea       PRIMARY KEY,
    id         uuid        NOT NULL UNIQUE,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX user_sessions_user ON user_sessions (user_id);

CREATE TABLE children (
    id                 uuid        PRIMARY KEY,
    parent_id          uuid        NOT NULL REFERENCES users ON DELETE RESTRICT,
    corporate_id       uuid        NOT NULL,
    first_name         text        NOT NULL CHECK (length(first_name) BETWEEN 1 AND 100),
    date_of_birth      date        NOT NULL,
    energy_level       text        CHECK (energy_level IN ('calm_focused', 'balanced', 'high_energy')),
    social_preference  text        CHECK (social_preference IN ('solo', 'small_group', 'big_social')),
    interests          text[]      NOT NULL DEFAULT '{}',
    activities_to_avoid text[]     NOT NULL DEFAULT '{}',
    accessibility_needs text[]     NOT NULL DEFAULT '{}',
    medical_notes      bytea,
    status             text        NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'active', 'deactivated')),
    -- The purposes consented to at present, kept by the same transaction that
    -- appends to the history, so that booking can guard on it in one statement.
    consents           text[]      NOT NULL DEFAULT '{}',
    created_at         timestamptz NOT NULL,
    version            integer     NOT NULL DEFAULT 1,
    CONSTRAINT active_only_with_consent
        CHECK (status = 'deactivated' OR (status = 'active') = ('data_collection' = ANY (consents))),
    UNIQUE (id, parent_id),
    FOREIGN KEY (parent_id, corporate_id) REFERENCES users (id, corporate_id) ON DELETE RESTRICT
);
CREATE INDEX children_parent ON children (parent_id, id);

CREATE TABLE parental_consent_records (
    id           uuid        PRIMARY KEY,
    position     bigint      GENERATED ALWAYS AS IDENTITY,
    child_id     uuid        NOT NULL,
    parent_id    uuid        NOT NULL,
    purpose      text        NOT NULL CHECK (purpose IN (
        'data_collection', 'data_processing', 'activity_booking', 'photo_sharing',
        'medical_sharing', 'coworker_matching', 'ai_personalisation')),
    given        boolean     NOT NULL,
    text_version text        NOT NULL,
    method       text        NOT NULL,
    evidence     jsonb       NOT NULL DEFAULT '{}',
    recorded_at  timestamptz NOT NULL,
    FOREIGN KEY (child_id, parent_id) REFERENCES children (id, parent_id) ON DELETE RESTRICT
);
CREATE INDEX parental_consent_records_child ON parental_consent_records (child_id, position);
CREATE TRIGGER parental_consent_records_append_only
    BEFORE UPDATE OR DELETE ON parental_consent_records
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER parental_consent_records_never_truncated
    BEFORE TRUNCATE ON parental_consent_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE parental_consent_records ENABLE ALWAYS TRIGGER parental_consent_records_append_only;
ALTER TABLE parental_consent_records ENABLE ALWAYS TRIGGER parental_consent_records_never_truncated;
