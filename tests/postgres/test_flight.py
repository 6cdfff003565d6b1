"""A round trip is one message there: several statements wake the server once."""

import socket
import threading
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from nexus.adapters.postgres import verifications
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.pool import open_pool
from nexus.adapters.postgres.whom import PLATFORM, Whom

pytestmark = pytest.mark.postgres


@contextmanager
def overheard(database_url):
    """A connection, and what it sends, message by message as it reaches the other side."""
    stated = conninfo_to_dict(database_url)
    sent = []

    def carry(source, target, heard):
        with suppress(OSError):
            while said := source.recv(1 << 16):
                heard.append(said)
                target.sendall(said)

    def relay(listening):
        with suppress(OSError):
            here, _ = listening.accept()
            there = socket.create_connection((stated["host"], int(stated["port"])))
            with here, there:
                back = threading.Thread(target=carry, args=(there, here, []))
                back.start()
                carry(here, there, sent)
                there.shutdown(socket.SHUT_WR)
                back.join(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        middle = threading.Thread(target=relay, args=(listening,))
        middle.start()
        address = make_conninfo(database_url, port=listening.getsockname()[1], sslmode="disable")
        with WalledConnection.connect(address, autocommit=True, prepare_threshold=0) as connection:
            yield connection, sent
        middle.join(5)


def say(connection, what):
    return [psycopg.Cursor(connection).execute(each) for each in what]


THREE = ("SELECT 1", "SELECT 2", "SELECT 3")


def test_what_is_said_together_is_one_message(database_url):
    with overheard(database_url) as (connection, sent):
        sent.clear()
        with connection.said_first():
            told = say(connection, THREE)
        assert len(sent) == 1
        assert [each.fetchone() for each in told] == [(1,), (2,), (3,)]


def test_a_unit_begins_tells_and_asks_in_one_message(database_url):
    with overheard(database_url) as (connection, sent), connection.unit(PLATFORM):
        sent.clear()
        assert connection.execute("SELECT current_setting('nexus.scope')").fetchone() == ("platform",)
        assert len(sent) == 1
        assert b"BEGIN" in sent[0]


SCOPE = "SELECT current_setting('nexus.scope', true)"


def test_reads_of_one_message_are_told_once_for_whom_they_are_and_leave_nothing_behind(database_url):
    with overheard(database_url) as (connection, sent):
        sent.clear()
        with connection.acting_for(PLATFORM), connection.said_first():
            told = [connection.execute(SCOPE) for _ in range(2)]
            with connection.acting_for(Whom("tenant")):
                told.append(connection.execute(SCOPE))
            told.append(connection.execute(SCOPE))
        assert [each.fetchone() for each in told] == [
            ("platform",),
            ("platform",),
            ("tenant",),
            ("platform",),
        ]
        assert len(sent) == 1
        assert sent[0].count(b"\0whom\0") == 3
        assert connection.execute(SCOPE).fetchone() == ("",)


def test_who_could_not_begin_to_say_something_is_not_taken_for_saying_it(database_url):
    with overheard(database_url) as (connection, _):
        connection.close()
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError, match="closed"), connection.said_first():
                raise AssertionError("nothing can be said")


def test_a_result_can_be_asked_for_before_the_end(database_url):
    with overheard(database_url) as (connection, sent):
        sent.clear()
        with connection.said_first():
            first, second = say(connection, THREE[:2])
            assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
            third = connection.execute("SELECT 3")
        assert third.fetchone() == (3,)


def test_the_first_failure_is_the_one_that_is_raised_and_the_connection_goes_on(database_url):
    with overheard(database_url) as (connection, _):
        with pytest.raises(psycopg.errors.DivisionByZero), connection.said_first():
            say(connection, ("SELECT 1", "SELECT 1 / 0", "SELECT * FROM nowhere"))
        assert connection.info.transaction_status == TransactionStatus.IDLE
        assert connection.execute("SELECT 4").fetchone() == (4,)


def test_more_than_a_buffer_holds_goes_out_and_comes_back(database_url):
    """Neither side waits for the other to read."""
    long = "x" * 300_000
    with overheard(database_url) as (connection, _):
        with connection.said_first():
            told = [psycopg.Cursor(connection).execute("SELECT %s::text", [long]) for _ in range(20)]
        assert all(each.fetchone() == (long,) for each in told)


def test_many_rows_are_written_by_one_command(database_url):
    with overheard(database_url) as (connection, _), connection.unit(PLATFORM):
        connection.execute("CREATE TEMPORARY TABLE numbers (number int)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO numbers VALUES (%s)", [(each,) for each in range(1000)])
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (1000,)


def test_a_connection_whose_server_has_forgotten_what_was_prepared_is_not_used_again(database_url):
    def ask(pool):
        with pool.connection() as connection, connection.acting_for(PLATFORM):
            return connection.execute(SCOPE).fetchone()

    with open_pool(database_url, size=1) as pool:
        with pool.connection() as connection:
            connection.execute("DEALLOCATE ALL")
        with pytest.raises(psycopg.OperationalError, match="forgotten"):
            ask(pool)
        assert ask(pool) == ("platform",)


def test_a_column_that_a_migration_has_changed_costs_one_answer_of_a_connection(database_url, owner):
    def ask(pool, begin):
        with pool.connection() as connection, begin(connection):
            return connection.execute("SELECT number FROM changing").fetchone()

    def for_the_platform(connection):
        return connection.unit(PLATFORM)

    owner.execute("CREATE TABLE changing (number) AS SELECT 1; GRANT SELECT ON changing TO nexus_app")
    try:
        with open_pool(database_url, size=1) as pool:
            for begin, kind in ((for_the_platform, "bigint"), (nullcontext, "numeric")):
                assert ask(pool, begin) == (1,)
                owner.execute(f"ALTER TABLE changing ALTER number TYPE {kind}")
                with pytest.raises(psycopg.OperationalError, match="forgotten"):
                    ask(pool, begin)
                assert ask(pool, begin) == (1,)
    finally:
        owner.execute("DROP TABLE changing")


def test_what_is_not_supported_is_no_outage(database_url):
    with open_pool(database_url, size=1) as pool, pool.connection() as connection:
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute("SELECT DISTINCT 1 FOR UPDATE")
        assert not connection.closed


def test_a_connection_on_which_a_verification_failed_is_not_used_again(database_url, monkeypatch):
    def fail(*_args, **_more):
        raise TimeoutError("took too long")

    with open_pool(database_url, size=1) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(verifications, "check", fail)
            with pytest.raises(TimeoutError):
                verifications.check_all(pool, datetime.now(UTC), timedelta(hours=2))
        with pool.connection() as connection, connection.acting_for(PLATFORM):
            assert connection.execute(SCOPE).fetchone() == ("platform",)
