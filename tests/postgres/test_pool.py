"""Connections as they are lent: alive, and without a transaction where nothing is changed."""

import os
import socket
import time

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.pool import LONGEST_STATEMENT, open_pool

pytestmark = pytest.mark.postgres


def pid_of(pool):
    with pool.connection() as connection:
        return connection.info.backend_pid


def test_a_connection_that_its_server_ended_is_replaced_before_anybody_gets_it(database_url, owner):
    with open_pool(database_url, size=1) as pool:
        ended = pid_of(pool)
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
        time.sleep(0.05)  # until the news is here
        assert pid_of(pool) != ended


def test_a_server_that_comes_back_is_found_at_once(database_url, monkeypatch):
    """Left to itself the pool tries again after one second, then two, four ..."""
    tries = []
    connect = WalledConnection.connect.__func__

    def refuse_twice(cls, conninfo="", **more):
        tries.append(conninfo)
        if len(tries) <= 2:
            raise psycopg.OperationalError("connection refused")
        return connect(cls, conninfo, **more)

    monkeypatch.setattr(WalledConnection, "connect", classmethod(refuse_twice))
    with open_pool(database_url, size=1) as pool:
        begun = time.monotonic()
        assert pid_of(pool)
        assert len(tries) == 3
        assert time.monotonic() - begun < 0.8


def test_a_live_connection_is_lent_again(database_url):
    with open_pool(database_url, size=1) as pool:
        assert pid_of(pool) == pid_of(pool)


def test_reading_opens_no_transaction(begin):
    with begin.reading() as work:
        assert work.connection.execute("SELECT 1").fetchone() == (1,)
        assert work.connection.info.transaction_status == TransactionStatus.IDLE


def test_reading_inside_a_unit_of_work_sees_what_it_has_done(begin):
    with begin() as work:
        work.connection.execute("INSERT INTO development_clock (ahead) VALUES ('1 hour')")
        with begin.reading() as inside:
            assert inside.connection.execute("SELECT count(*) FROM development_clock").fetchone() == (1,)
        work.connection.execute("DELETE FROM development_clock")


def test_a_statement_is_ended_when_everybody_counts_on_it(pool):
    with pool.connection() as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == (f"{LONGEST_STATEMENT:.0f}s",)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such options")
def test_a_machine_that_has_gone_without_a_word_is_noticed_within_half_a_minute(database_url):
    with open_pool(database_url, size=1) as pool, pool.connection() as connection:
        used = socket.socket(fileno=os.dup(connection.fileno()))
        with used:
            assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, interval, count = (
                used.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            unanswered = used.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000
    assert idle + interval * count <= 30
    assert 0 < unanswered <= 30
