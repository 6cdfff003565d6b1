"""Cursors and entity tags."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.datastructures import Headers

from http_edge.conftest import PARENT
from http_edge.test_problems import problem
from nexus.domain.kernel.errors import VersionMismatch
from nexus.entrypoints.http.etag import IfMatch
from nexus.entrypoints.http.faults import Malformed
from nexus.entrypoints.http.pagination import Keyset

SOON = Keyset("soonest", datetime, UUID, str, int | None)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(
    st.datetimes(
        timezones=st.just(timezone(timedelta(hours=2))),
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    ),
    st.uuids(),
    texts,
    st.none() | st.integers(-5, 5),
)
def test_a_cursor_comes_back_as_the_key_it_was_made_of(at, id_, text, number):
    cursor = SOON.cursor((at, id_, text, number))
    assert SOON.after(cursor) == (at.astimezone(UTC), id_, text, number)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda b: b.hex()))
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(Malformed) as raised:
        SOON.after(text)
    assert raised.value.faults[0].path == "query.cursor"


def test_a_cursor_of_another_order_is_refused():
    with pytest.raises(Malformed):
        SOON.after(Keyset("latest", int).cursor((1,)))
    with pytest.raises(Malformed):
        Keyset("soonest", int).after(Keyset("latest", int).cursor((1,)))
    with pytest.raises(Malformed):
        Keyset("latest", str).after(Keyset("latest", int).cursor((1,)))
    with pytest.raises(Malformed):
        Keyset("latest", int, int).after(Keyset("latest", int).cursor((1,)))


@pytest.mark.parametrize("limit", [1, 7, 15, 45, 100])
def test_following_the_cursors_shows_every_row_once(client, limit):
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/paintings", params=params, headers=PARENT).json()
        assert len(page["items"]) <= limit
        seen += [item["name"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert seen == [f"n{i:03}" for i in range(45)]
    assert pages == -(-45 // limit)


@pytest.mark.parametrize("header", [None, "*", '"3"', 'W/"3"', '"1", "3"', ' "x" , W/"3" '])
def test_the_version_that_was_seen_may_be_changed(header):
    IfMatch.of(Headers({} if header is None else {"if-match": header})).check(3)


@pytest.mark.parametrize("header", ['"2"', 'W/"2"', '"1", "2"', '"x"', '""'])
def test_another_version_may_not(header):
    with pytest.raises(VersionMismatch):
        IfMatch.of(Headers({"if-match": header})).check(3)


@pytest.mark.parametrize("header", ["3", '"3', 'w/"3"', '"3" "4"', "*, *"])
def test_what_is_no_entity_tag_is_refused(header):
    with pytest.raises(Malformed) as raised:
        IfMatch.of(Headers({"if-match": header}))
    assert raised.value.faults[0].path == "header.If-Match"


def test_a_change_of_an_older_version_is_412(client):
    path = "/api/v1/paintings/00000000-0000-0000-0000-000000000001"
    tag = client.get(path, headers=PARENT).headers["etag"]
    assert client.patch(path, json={"name": "x"}, headers={**PARENT, "if-match": tag}).json()["name"] == "x"
    stale = client.patch(path, json={"name": "x"}, headers={**PARENT, "if-match": '"2"'})
    stated = problem(stale, 412, "version-mismatch")
    assert (stated["expected"], stated["actual"]) == (2, 3)


def test_null_clears_and_left_out_keeps(client):
    path = "/api/v1/paintings/00000000-0000-0000-0000-000000000001"
    assert client.patch(path, json={"note": "n"}, headers=PARENT).json()["note"] == "n"
    assert client.patch(path, json={"note": None}, headers=PARENT).json()["note"] is None
    assert client.patch(path, json={}, headers=PARENT).json()["name"] == "Night"
