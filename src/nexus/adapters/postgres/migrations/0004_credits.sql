-- What companies bought, what each employee has, and every movement of it.

CREATE TABLE corporate_subscriptions (
    id                   uuid        PRIMARY KEY,
    corporate_id         uuid        NOT NULL REFERENCES corporates ON DELETE RESTRICT,
    tier                 text        NOT NULL CHECK (tier IN ('basic', 'standard', 'premium', 'enterprise')),
    covered_employees    integer     NOT NULL CHECK (covered_employees > 0),
    credits_per_employee integer     NOT NULL CHECK (credits_per_employee > 0),
    monthly_cost_minor   bigint      NOT NULL CHECK (monthly_cost_minor >= 0),
    currency             text        NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    billing_cycle_day    smallint    NOT NULL CHECK (billing_cycle_day BETWEEN 1 AND 28),
    start_date           date        NOT NULL,
    end_date             date        CHECK (end_date > start_date),
    premium_venue_access boolean     NOT NULL DEFAULT false,
    -- The first day of the last period that every covered employee was given.
    allocated_period     date,
    created_at           timestamptz NOT NULL,
    CONSTRAINT subscriptions_never_overlap
        EXCLUDE USING gist (corporate_id WITH =, daterange(start_date, end_date) WITH &&)
);

CREATE TABLE user_credit_balances (
    id                   uuid        PRIMARY KEY,
    user_id              uuid        NOT NULL,
    corporate_id         uuid        NOT NULL,
    subscription_id      uuid        NOT NULL REFERENCES corporate_subscriptions ON DELETE RESTRICT,
    billing_period_start date        NOT NULL,
    billing_period_end   date        NOT NULL CHECK (billing_period_end > billing_period_start),
    opens_at             timestamptz NOT NULL,
    closes_at            timestamptz NOT NULL CHECK (closes_at > opens_at),
    credits_allocated    integer     NOT NULL CHECK (credits_allocated >= 0),
    credits_available    integer     NOT NULL CHECK (credits_available >= 0),
    credits_used         integer     NOT NULL DEFAULT 0 CHECK (credits_used >= 0),
    credits_refunded     integer     NOT NULL DEFAULT 0 CHECK (credits_refunded >= 0),
    credits_forfeited    integer     NOT NULL DEFAULT 0 CHECK (credits_forfeited >= 0),
    credits_adjusted     integer     NOT NULL DEFAULT 0,
    credits_expired      integer     NOT NULL DEFAULT 0 CHECK (credits_expired >= 0),
    last_sequence        integer     NOT NULL DEFAULT 0 CHECK (last_sequence >= 0),
    warned_at            timestamptz,
    closed_at            timestamptz,
    CONSTRAINT available_is_what_remains CHECK (credits_available =
        credits_allocated - credits_used + credits_refunded + credits_adjusted - credits_expired),
    CONSTRAINT balances_never_overlap
        EXCLUDE USING gist (user_id WITH =, tstzrange(opens_at, closes_at) WITH &&),
    UNIQUE (user_id, billing_period_start),
    UNIQUE (id, user_id),
    FOREIGN KEY (user_id, corporate_id) REFERENCES users (id, corporate_id) ON DELETE RESTRICT
);
CREATE INDEX user_credit_balances_company ON user_credit_balances (corporate_id, closes_at);
CREATE INDEX user_credit_balances_closing ON user_credit_balances (closes_at) WHERE closed_at IS NULL;

CREATE TABLE credit_ledger (
    id               uuid        PRIMARY KEY,
    balance_id       uuid        NOT NULL,
    user_id          uuid        NOT NULL,
    sequence         integer     NOT NULL CHECK (sequence > 0),
    transaction_type text        NOT NULL,
    amount           integer     NOT NULL,
    balance_after    integer     NOT NULL CHECK (balance_after >= 0),
    booking_id       uuid,
    reverses         uuid        REFERENCES credit_ledger ON DELETE RESTRICT,
    reason           text,
    adjusted_by      uuid        REFERENCES users ON DELETE RESTRICT,
    occurred_at      timestamptz NOT NULL,
    CONSTRAINT sign_matches_type CHECK (CASE transaction_type
        WHEN 'allocation'     THEN amount > 0
        WHEN 'booking_debit'  THEN amount < 0 AND booking_id IS NOT NULL
        WHEN 'refund_credit'  THEN amount > 0 AND reverses IS NOT NULL
        WHEN 'partial_refund' THEN amount > 0 AND reverses IS NOT NULL
        WHEN 'forfeit'        THEN amount = 0 AND reverses IS NOT NULL
        WHEN 'adjustment'     THEN amount <> 0 AND adjusted_by IS NOT NULL AND reason IS NOT NULL
        WHEN 'expiry'         THEN amount < 0
        ELSE false END),
    UNIQUE (balance_id, sequence),
    FOREIGN KEY (balance_id, user_id) REFERENCES user_credit_balances (id, user_id) ON DELETE RESTRICT
);
CREATE INDEX credit_ledger_user ON credit_ledger (user_id, occurred_at DESC, id DESC);
CREATE INDEX credit_ledger_booking ON credit_ledger (booking_id) WHERE booking_id IS NOT NULL;
-- A debit is reversed in full or forfeited once; only partial refunds may repeat.
CREATE UNIQUE INDEX credit_ledger_settled_once ON credit_ledger (reverses)
    WHERE transaction_type IN ('refund_credit', 'forfeit');
CREATE UNIQUE INDEX credit_ledger_allocated_once ON credit_ledger (balance_id)
    WHERE transaction_type = 'allocation';
CREATE TRIGGER credit_ledger_append_only BEFORE UPDATE OR DELETE ON credit_ledger
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER credit_ledger_never_truncated BEFORE TRUNCATE ON credit_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE credit_ledger ENABLE ALWAYS TRIGGER credit_ledger_append_only;
ALTER TABLE credit_ledger ENABLE ALWAYS TRIGGER credit_ledger_never_truncated;
