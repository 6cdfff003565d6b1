"""Allocation under concurrency, and tables that only grow."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
import pytest
from attrs import evolve

from nexus.adapters.system.lanes import Lanes
from nexus.application.credits.allocate import AllocateCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.domain.identity.people import Role
from nexus.domain.identity.tenants import NoSeatsLeft
from people import Stage

pytestmark = pytest.mark.postgres
APRIL = datetime(2026, 4, 1, 4, tzinfo=UTC)

ADD_PEOPLE = """
    INSERT INTO users (id, email, role, first_name, last_name, corporate_id, timezone, joined_at)
    SELECT gen_random_uuid(), 'p' || n || '@example.com', 'parent', 'P', 'N', %s, 'UTC', '2026-01-01'
      FROM generate_series(1, %s) n
"""
BROKEN_CHAINS = """
    SELECT b.id
      FROM user_credit_balances b
      JOIN credit_ledger l ON l.balance_id = b.id
     GROUP BY b.id
    HAVING sum(l.amount) <> b.credits_available
        OR count(*) <> b.last_sequence
        OR max(l.sequence) <> b.last_sequence
"""


@pytest.fixture
def stage(begin):
    return Stage(begin, at=APRIL)


def at_once(count, do):
    barrier = Barrier(count)

    def run(number):
        barrier.wait()
        return do(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def counted(owner, sql):
    return owner.execute(sql).fetchone()[0]


@pytest.mark.parametrize("lock", [True, False], ids=["as it is", "without the lock"])
def test_eight_workers_allocate_a_period_once(stage, owner, lock, monkeypatch):
    """The database's own constraint decides, even if nobody waits for the others."""
    if not lock:
        monkeypatch.setattr("nexus.adapters.postgres.tenants.PostgresSubscriptions.lock", lambda *_: None)
    company = stage.company()
    stage.subscription(company, covered=300)
    owner.execute(ADD_PEOPLE, [company.id, 320])
    given = at_once(8, lambda _: AllocateCredits(stage.begin, stage.now, uuid4, batch=50)())
    assert sum(given) == 300
    assert counted(owner, "SELECT count(*) FROM user_credit_balances") == 300
    assert counted(owner, "SELECT count(*) FROM credit_ledger") == 300
    told = owner.execute(
        "SELECT jsonb_array_elements_text(payload->'users') FROM outbox WHERE type = 'CreditsAllocated'"
    ).fetchall()
    assert len(told) == len(set(told)) == 300
    assert owner.execute(BROKEN_CHAINS).fetchall() == []


ADD_BALANCE = """
    INSERT INTO user_credit_balances (
           id, user_id, corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at,
           closes_at, credits_allocated, credits_available)
    SELECT gen_random_uuid(), user_id, corporate_id, subscription_id, billing_period_start + %(first)s,
           billing_period_end + %(until)s, opens_at + make_interval(secs => %(opens)s),
           closes_at + make_interval(secs => %(closes)s), 1, 1
      FROM user_credit_balances
"""
ADD_PERIOD = """
    INSERT INTO credit_periods
    SELECT corporate_id, subscription_id, billing_period_start + 40, billing_period_end + 40,
           closes_at + make_interval(secs => %s), closes_at + interval '1 month'
      FROM credit_periods
"""
SAME = {"first": 0, "until": 0, "opens": 0, "closes": 0}


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        (SAME, psycopg.errors.UniqueViolation),
        *((SAME | {name: 1}, psycopg.errors.IntegrityError) for name in SAME),
        (
            SAME | {"first": 40, "until": 40, "opens": 864_000, "closes": 864_000},
            psycopg.errors.ForeignKeyViolation,
        ),
    ],
)
def test_nobody_has_two_balances_at_a_time(stage, owner, other, refusal):
    """Not even the owner of the tables can add a balance that is not of a period, or a second one of a period."""
    company = stage.company()
    stage.subscription(company)
    stage.user(company=company)
    with pytest.raises(refusal):
        owner.execute(ADD_BALANCE, other)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        owner.execute(ADD_PERIOD, [-0.000001])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("UPDATE users SET corporate_id = %s", [stage.company("Other").id])
    assert owner.execute(ADD_PERIOD, [0]).rowcount == 1, (
        "the control: the next period may begin when this one closes"
    )


def test_a_balance_is_allocated_once(stage, owner):
    company = stage.company()
    stage.subscription(company)
    stage.user(company=company)
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            """
            INSERT INTO credit_ledger (
                   id, balance_id, user_id, sequence, transaction_type, amount, balance_after, occurred_at)
            SELECT gen_random_uuid(), balance_id, user_id, 2, 'allocation', 1, 1, occurred_at FROM credit_ledger
            """
        )


def test_a_run_that_is_cut_off_is_continued_by_the_next(stage, owner):
    """What was committed stays and is not given again; what was not is given."""
    company = stage.company()
    stage.subscription(company, covered=100)
    owner.execute(ADD_PEOPLE, [company.id, 100])

    @contextmanager
    def dies_in_the_third_batch():
        begun.append(None)
        with stage.begin() as work:
            yield work
            if len(begun) == 4:  # the first one reads the plans
                raise KeyboardInterrupt

    begun = []
    with pytest.raises(KeyboardInterrupt):
        AllocateCredits(dies_in_the_third_batch, stage.now, uuid4, batch=20)()
    assert counted(owner, "SELECT count(*) FROM user_credit_balances") == 40
    assert AllocateCredits(stage.begin, stage.now, uuid4, batch=20)() == 60
    assert AllocateCredits(stage.begin, stage.now, uuid4, batch=20)() == 0
    assert counted(owner, "SELECT count(*) FROM credit_ledger") == 100
    assert owner.execute(BROKEN_CHAINS).fetchall() == []


def companies(stage, owner, many, *, people):
    for _ in range(many):
        company = stage.company()
        stage.subscription(company, covered=people)
        owner.execute(ADD_PEOPLE.replace("'p' || n", "gen_random_uuid()"), [company.id, people])


def test_two_companies_are_given_their_month_at_a_time(stage, owner):
    companies(stage, owner, 4, people=50)
    meeting = Barrier(2, timeout=5)
    run = AllocateCredits(
        stage.begin, stage.now, uuid4, batch=20, rest=lambda _: meeting.wait(), side_by_side=Lanes(2)
    )
    assert run() == 200
    assert run() == 0
    assert counted(owner, "SELECT count(*) FROM user_credit_balances") == 200
    assert owner.execute(BROKEN_CHAINS).fetchall() == []


def test_a_failure_in_one_lane_ends_the_other_between_two_batches_and_the_next_run_goes_on(stage, owner):
    companies(stage, owner, 4, people=60)
    rests = []

    def rest(_):
        rests.append(None)
        if len(rests) == 3:
            raise KeyboardInterrupt

    run = AllocateCredits(stage.begin, stage.now, uuid4, batch=20, rest=rest, side_by_side=Lanes(2))
    with pytest.raises(KeyboardInterrupt):
        run()
    given = counted(owner, "SELECT count(*) FROM user_credit_balances")
    assert 60 <= given < 240
    assert given % 20 == 0
    assert run() == 240 - given
    assert counted(owner, "SELECT count(*) FROM credit_ledger") == 240
    assert owner.execute(BROKEN_CHAINS).fetchall() == []


def test_no_other_thread_joins_an_open_unit_of_work(stage, owner):
    """Two threads would share its connection, and wait for each other for ever."""
    companies(stage, owner, 1, people=20)
    run = AllocateCredits(stage.begin, stage.now, uuid4, side_by_side=Lanes(2))
    with pytest.raises(RuntimeError, match="its thread's own"), stage.begin():
        run()
    assert counted(owner, "SELECT count(*) FROM user_credit_balances") == 0


def test_a_run_gives_way_while_families_book(stage, owner, database_url):
    """After each batch, once it is committed, for as long as it took; and not at all while nobody books."""
    company = stage.company()
    stage.subscription(company, covered=60)
    owner.execute(ADD_PEOPLE, [company.id, 60])
    rests = []

    def rest(seconds):
        rests.append((seconds, counted(owner, "SELECT count(*) FROM user_credit_balances")))

    run = AllocateCredits(stage.begin, stage.now, uuid4, batch=20, rest=rest)
    with psycopg.connect(database_url) as family:
        family.execute("LOCK TABLE bookings IN ROW EXCLUSIVE MODE")
        assert run() == 60
    assert [given for _, given in rests] == [20, 40, 60]
    assert all(0 < seconds < 60 for seconds, _ in rests)
    stage.at = datetime(2026, 5, 1, 4, tzinfo=UTC)
    rests.clear()
    with psycopg.connect(database_url) as vacuum:
        vacuum.execute("LOCK TABLE bookings IN SHARE UPDATE EXCLUSIVE MODE")
        assert run() == 60
    assert [seconds for seconds, _ in rests] == [0, 0, 0]


def test_eight_workers_warn_and_expire_once(stage, owner):
    company = stage.company()
    stage.subscription(company, covered=200)
    owner.execute(ADD_PEOPLE, [company.id, 200])
    AllocateCredits(stage.begin, stage.now, uuid4)()
    stage.at = datetime(2026, 4, 29, tzinfo=UTC)
    assert sum(at_once(8, lambda _: WarnOfExpiry(stage.begin, stage.now, uuid4, batch=20)())) == 200
    stage.at = datetime(2026, 5, 2, tzinfo=UTC)
    assert sum(at_once(8, lambda _: ExpireCredits(stage.begin, stage.now, uuid4, batch=20)())) == 200
    assert counted(owner, "SELECT count(*) FROM credit_ledger WHERE transaction_type = 'expiry'") == 200
    assert owner.execute(BROKEN_CHAINS).fetchall() == []


def test_the_last_seats_are_taken_once(stage, owner):
    company = stage.company()
    stage.subscription(company, covered=3)
    own_ids = evolve(stage, numbers=iter(range(10_000, 20_000)))

    def join(number):
        try:
            own_ids.user(company=company, email=f"j{number}@example.com")
        except NoSeatsLeft:
            return 0
        return 1

    assert sum(at_once(8, join)) == 3
    assert counted(owner, "SELECT count(*) FROM users") == 3


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {}",
    ],
)
@pytest.mark.parametrize("table", ["credit_ledger", "parental_consent_records"])
@pytest.mark.parametrize("role", ["application", "owner"])
def test_history_only_grows(stage, owner, database_url, *, table, sql, role):
    """The application may not even try; the owner is stopped by the triggers."""
    company = stage.company()
    stage.subscription(company)
    parent = stage.user(company=company)
    child = uuid4()
    owner.execute(
        "INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, created_at) "
        "VALUES (%s, %s, %s, 'Mia', '2019-01-01', now())",
        [child, parent.user, company.id],
    )
    owner.execute(
        "INSERT INTO parental_consent_records "
        "(id, child_id, parent_id, purpose, given, text_version, method, recorded_at) "
        "VALUES (%s, %s, %s, 'data_collection', true, '1', 'checkbox', now())",
        [uuid4(), child, parent.user],
    )
    changes_rows = sql.split()[0] in {"UPDATE", "DELETE", "TRUNCATE"}
    if role == "application":
        with pytest.raises(psycopg.errors.InsufficientPrivilege), stage.begin() as work:
            work.connection.execute(sql.format(table))
    elif changes_rows:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for mode in ("origin", "replica"):
                connection.execute(f"SET session_replication_role = {mode}")
                with pytest.raises(psycopg.errors.RestrictViolation):
                    connection.execute(sql.format(table))
    assert counted(owner, f"SELECT count(*) FROM {table}") == 1


def test_nothing_that_has_credits_can_be_deleted(stage, owner):
    company = stage.company()
    stage.subscription(company)
    stage.user(company=company)
    for table in ("users", "corporates", "corporate_subscriptions", "user_credit_balances"):
        with pytest.raises(psycopg.errors.IntegrityError):
            owner.execute(f"DELETE FROM {table}")


def test_an_active_child_without_consent_is_refused_by_the_database(stage, owner):
    parent = stage.user(Role.PARENT, company=stage.company())
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, "
            "status, created_at) "
            "VALUES (%s, %s, %s, 'Mia', '2019-01-01', 'active', now())",
            [UUID(int=99), parent.user, parent.company],
        )
