-- Periods belong to companies, and balances refer to them. That balances of a person never
-- overlap follows from that, at a fraction of what an exclusion constraint over all balances
-- costs whenever a month is given to many people:
--
--   A person is in one company (users.id is unique, and a balance's company is its owner's).
--   A balance's times are those of a period of that company (balances_are_of_a_period), and the
--   periods of a company are apart (periods_never_overlap). Nobody has two balances of one
--   period (once_a_person_and_period; a first day names one period of the company). So two
--   balances of a person are of two periods, which are apart.
CREATE TABLE credit_periods (
    corporate_id         uuid        NOT NULL REFERENCES corporates ON DELETE RESTRICT,
    subscription_id      uuid        NOT NULL REFERENCES corporate_subscriptions ON DELETE RESTRICT,
    billing_period_start date        NOT NULL,
    billing_period_end   date        NOT NULL CHECK (billing_period_end > billing_period_start),
    opens_at             timestamptz NOT NULL,
    closes_at            timestamptz NOT NULL CHECK (closes_at > opens_at),
    PRIMARY KEY (corporate_id, billing_period_start),
    -- What balances refer to: a period with everything that they repeat of it.
    UNIQUE (corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at, closes_at),
    CONSTRAINT periods_never_overlap
        EXCLUDE USING gist (corporate_id WITH =, tstzrange(opens_at, closes_at) WITH &&)
);

-- A period stays as it was opened: nobody changes or removes one.
REVOKE ALL ON credit_periods FROM nexus_app;
GRANT SELECT, INSERT ON credit_periods TO nexus_app;
ALTER TABLE credit_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_periods FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON credit_periods USING (for_platform());
CREATE POLICY of_the_company ON credit_periods FOR SELECT USING (corporate_id = for_hr());

INSERT INTO credit_periods
SELECT DISTINCT corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at, closes_at
  FROM user_credit_balances;

-- Four indexes instead of seven. What leads with the company and the period grows at one end
-- while a month is given, and also finds a company's balances of a period; what leads with
-- the person finds theirs, and is what their movements refer to.
ALTER TABLE credit_ledger DROP CONSTRAINT credit_ledger_balance_id_user_id_fkey;
ALTER TABLE user_credit_balances
    DROP CONSTRAINT balances_never_overlap,
    DROP CONSTRAINT user_credit_balances_user_id_billing_period_start_key,
    DROP CONSTRAINT user_credit_balances_id_user_id_key,
    DROP CONSTRAINT user_credit_balances_subscription_id_fkey, -- the period's, now
    ADD CONSTRAINT once_a_person_and_period UNIQUE (corporate_id, billing_period_start, user_id),
    ADD CONSTRAINT balances_of_a_person UNIQUE (user_id, id),
    ADD CONSTRAINT balances_are_of_a_period
        FOREIGN KEY (corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at, closes_at)
        REFERENCES credit_periods
            (corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at, closes_at)
        ON DELETE RESTRICT;
DROP INDEX user_credit_balances_company;
ALTER TABLE credit_ledger
    ADD FOREIGN KEY (balance_id, user_id) REFERENCES user_credit_balances (id, user_id) ON DELETE RESTRICT;

-- A balance has one line of each number: where an allocation is the first, there is one at most.
ALTER TABLE credit_ledger
    ADD CONSTRAINT allocation_comes_first CHECK (transaction_type <> 'allocation' OR sequence = 1);
DROP INDEX credit_ledger_allocated_once;

-- Nobody looks for the lines of a booking but who reads all of them, and bookings are never deleted.
DROP INDEX credit_ledger_booking;
