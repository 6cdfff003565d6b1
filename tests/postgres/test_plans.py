"""
The statements of hot paths find their rows by index, on a dataset of some size.

The use cases are run, and what they sent is explained with the values they sent.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from benchmarks.dataset import CHILD, COMPANY, SESSION, USER, Size, awaited_booking, fill, free_place, id_of
from benchmarks.hearing import Heard, ears
from benchmarks.paths import reads
from benchmarks.prepared import Prepared
from psycopg import ClientCursor

from nexus.adapters.postgres.invariants import verify
from nexus.adapters.postgres.migrate import migrate
from nexus.adapters.postgres.search_terms import conditions, first_page, moment
from nexus.adapters.postgres.searching import walk
from nexus.application.catalogue.search import Search, Sort
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.jobs import Job
from nexus.domain.catalogue.places import Position
from nexus.domain.identity.people import Role

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

BIG = {"bookings", "credit_ledger", "activity_sessions", "user_credit_balances", "outbox", "waitlist"}
SIZE = Size.of(0.02)
"""20,000 bookings: an index is the cheaper way by far."""
BASE = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def big(postgres_server):
    """The address of a database of that size."""
    with psycopg.connect(postgres_server.database_url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE plans")
    url = urlsplit(postgres_server.database_url)._replace(path="/plans").geturl()
    migrate(url)
    fill(url, SIZE, base=BASE)
    return url


@pytest.fixture(scope="module")
def hear(big):
    with ears(big) as hear:
        yield hear


@pytest.fixture(scope="module")
def explainer(big):
    with psycopg.connect(big, autocommit=True) as connection:
        yield connection


def scans(node, big=frozenset(BIG)):
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in big:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from scans(part, big)


def scanned(explainer, heard, big=frozenset(BIG)):
    """The big tables that a statement reads from end to end."""
    plan = explainer.execute("EXPLAIN (FORMAT JSON) " + heard.statement, heard.values).fetchone()[0]
    return set(scans(plan[0]["Plan"], big))


def by_index(explainer, said):
    """Every statement that was heard touches a big table by index only."""
    planned = [each for each in said if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", each.statement)]
    assert planned
    for each in planned:
        assert scanned(explainer, each) == set(), each.statement


def without_values(heard):
    """The statement as a server plans it that has not seen the values: with numbers, and types where it matters."""
    numbers = {}

    def number(found):
        name = found[1]
        kind = "::uuid" if isinstance(heard.values[name], UUID) else ""
        return f"${numbers.setdefault(name, len(numbers) + 1)}{kind}"

    return re.sub(r"%\((\w+)\)[sb]", number, heard.statement).replace("%%", "%")


def by_index_whatever_the_values(explainer, said):
    """A command is carried out by one plan for all values: it too has an index for each big table."""
    if explainer.info.server_version < 160000:
        pytest.skip("this server does not explain plans without values")
    with explainer.transaction(force_rollback=True):
        # Some tables are small even here: whether there is a way without a scan is the question.
        explainer.execute("SET LOCAL enable_seqscan = off")
        for each in said:
            if isinstance(each.values, dict):
                explained = "EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + without_values(each)
                plan = explainer.execute(explained.encode()).fetchone()[0]
                assert set(scans(plan[0]["Plan"])) == set(), each.statement


def who(family):
    return {"parent": id_of(USER, family), "company": id_of(COMPANY, family % SIZE.companies)}


def test_the_dataset_breaks_no_promise(explainer):
    found = verify(explainer, at=BASE, last_offer=timedelta(hours=1))
    assert [finding.invariant.number for finding in found if not finding.holds] == []


def test_a_scan_would_be_noticed(explainer):
    """The control: without an index that fits, the whole table is read, and that is what is looked for."""
    assert scanned(explainer, Heard("SELECT id FROM bookings WHERE credits_charged = %(n)s", {"n": 3})) == {
        "bookings"
    }


def test_booking(hear, explainer):
    family, session = free_place(0, SIZE)
    children = (id_of(CHILD, family),)
    said = hear(lambda nexus: nexus.book(id_of(SESSION, session), children, **who(family)))
    assert any("INSERT INTO bookings" in each.statement for each in said)
    by_index(explainer, said)
    by_index_whatever_the_values(explainer, said)


def test_quoting(hear, explainer):
    family, session = free_place(1, SIZE)
    children = (id_of(CHILD, family),)
    parent = id_of(USER, family)
    by_index(
        explainer, hear(lambda nexus: nexus.quote_booking(id_of(SESSION, session), children, parent=parent))
    )


def test_cancelling_with_a_refund_and_an_offer(hear, explainer):
    family, booking = awaited_booking(0, SIZE)
    said = hear(lambda nexus: nexus.cancel_booking(id_of(8, booking), parent=id_of(USER, family)))
    assert any("UPDATE waitlist" in each.statement for each in said)
    by_index(explainer, said)
    by_index_whatever_the_values(explainer, said)


def test_signing_in_with_a_token(hear, explainer):
    by_index(explainer, hear(lambda nexus: nexus.authenticate("bench-6-1")))


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_reading(hear, explainer, big, number):
    """Bookings, credits, a roster, and a search: soonest and nearest."""
    at = Prepared(server=None, database_url=big, size=SIZE, base=BASE)
    for read in reads(at.size):
        # A company of this dataset has half of all bookings: one of few people is asked about below.
        if read.name != "HR overview":
            by_index(explainer, hear(lambda nexus, read=read: read.run(nexus, number)))


ADD_COMPANY = """
    INSERT INTO corporates (id, company_name, timezone, primary_contact_name, primary_contact_email,
                            contract_start_date, created_at)
    SELECT %(new)s, 'Small', timezone, 'Kim', 'small@example.com', contract_start_date, created_at
      FROM corporates WHERE id = %(known)s;

    INSERT INTO corporate_subscriptions (id, corporate_id, tier, covered_employees, credits_per_employee,
                                         monthly_cost_minor, billing_cycle_day, start_date, created_at)
    SELECT %(new)s, %(new)s, tier, covered_employees, credits_per_employee, monthly_cost_minor,
           billing_cycle_day, start_date, created_at
      FROM corporate_subscriptions WHERE corporate_id = %(known)s
"""


@pytest.fixture(scope="module")
def small_company(big):
    """A company that few rows of the big tables are about."""
    company = id_of(COMPANY, 999_999)
    with psycopg.ClientCursor(psycopg.connect(big)) as cursor:
        cursor.execute(ADD_COMPANY, {"new": company, "known": id_of(COMPANY, 0)})
        cursor.connection.commit()
        cursor.connection.close()
    return company


def test_a_company_s_overview_reads_what_is_the_company_s(hear, explainer, small_company):
    actor = Actor(user=id_of(USER, 0), role=Role.HR_ADMIN, company=small_company)
    said = hear(lambda nexus: nexus.overview_hr(actor=actor))
    for table in ("bookings", "user_credit_balances"):
        assert any(table in each.statement for each in said), table
    by_index(explainer, said)


def test_handing_over_what_happened(hear, explainer):
    def claim(nexus):
        with nexus.begin() as work:
            work.inbox.claim_unsent(limit=100)

    by_index(explainer, hear(claim))


GROWN = """
    SET LOCAL session_replication_role = replica;
    INSERT INTO job_runs (job, due_at)
         SELECT job, %(base)s::timestamptz - n * interval '15 seconds'
           FROM unnest(%(jobs)s::text[]) job, generate_series(1, 4000) n;
    INSERT INTO verifications (id, at, seconds, findings)
         SELECT gen_random_uuid(), %(base)s::timestamptz - n * interval '1 hour', 1, '{}'
           FROM generate_series(1, 20000) n;
    ANALYZE job_runs, verifications
"""
"""Two days of jobs, and years of checks: more than is ever kept."""


def test_looking_at_what_waits(hear, explainer):
    """What every scrape asks reads by index because that is cheaper, and a table without its index would show."""
    [asked] = [each for each in hear(lambda nexus: nexus.backlog()) if "AS unhandled" in each.statement]
    watched = BIG | {"job_runs", "verifications"}
    with explainer.transaction(force_rollback=True):
        grown = ClientCursor(explainer).mogrify(GROWN, {"base": BASE, "jobs": [job.value for job in Job]})
        explainer.execute(grown)
        assert scanned(explainer, asked, watched) == set()
        for index, table in (
            ("waitlist_open_offers", "waitlist"),
            ("outbox_unhandled", "outbox"),
            ("bookings_unanswered", "bookings"),
            ("verifications_newest", "verifications"),
        ):
            with explainer.transaction(force_rollback=True):
                explainer.execute(f"DROP INDEX {index}")
                assert scanned(explainer, asked, watched) == {table}, index


WALKS = {
    Sort.SOONEST: "activity_sessions_calendar",
    Sort.NEAREST: "listings_by_place",
    Sort.CHEAPEST: "listings_by_price",
    Sort.RATING: "activities_by_rating",
    Sort.NAME: "activities_by_name",
}


def planned(node):
    yield node
    for part in node.get("Plans", ()):
        yield from planned(part)


def walked(explainer, search):
    """The plan of the walk that a search begins with, as the connection asks for it: for whatever values."""
    if explainer.info.server_version < 160000:
        pytest.skip("this server does not explain plans without values")
    names = conditions(search, None, at=BASE) | moment(BASE, 60) | {"limit": 21}
    names["after_key"], names["after_id"] = first_page(search.sort)
    with explainer.transaction(force_rollback=True):
        # Some tables are small even here.
        explainer.execute("SET LOCAL enable_seqscan = off")
        explainer.execute("SET LOCAL enable_sort = off")
        if search.sort is Sort.SOONEST:
            explainer.execute("SET LOCAL enable_incremental_sort = off")
        explained = "EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + without_values(Heard(walk(search), names))
        plan = explainer.execute(explained.encode()).fetchone()[0][0]["Plan"]
    # Above the first limit is the page, which is put in order once more.
    return list(planned(next(node for node in planned(plan) if node["Node Type"] == "Limit")))


@pytest.mark.parametrize("available", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
def test_browsing_walks_along_an_index(explainer, sort, available):
    """In every order: no table is read from end to end, and nothing is sorted before the page is full."""
    nodes = walked(explainer, Search(sort=sort, available=available, near=Position(41.8, -87.7)))
    index = "activity_sessions_with_seats" if available and sort is Sort.SOONEST else WALKS[sort]
    assert index in {node.get("Index Name") for node in nodes}
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    assert "Sort" not in {node["Node Type"] for node in nodes}


def test_lines_that_are_due_are_found_by_index(hear, explainer):
    """Nobody who waits for a session that is still to come is looked at."""

    def look(nexus):
        with nexus.begin() as work:
            work.lines.due(at=BASE, limit=100)

    [said] = [each for each in hear(look) if "has_line" in each.statement]
    plan = explainer.execute("EXPLAIN (FORMAT JSON) " + said.statement, said.values).fetchone()[0]
    nodes = list(planned(plan[0]["Plan"]))
    assert "activity_sessions_due_lines" in {node.get("Index Name") for node in nodes}
    assert set(scans(plan[0]["Plan"])) == set()
