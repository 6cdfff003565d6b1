"""What every store promises about API keys."""

from datetime import timedelta
from uuid import UUID

import pytest

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.passwords.api_keys import HmacDigests, new_key_text
from nexus.adapters.system.key_uses import CountedUses
from nexus.application.platform.all_api_keys import RevokeAnyApiKey, SearchApiKeys
from nexus.application.platform.api_key_ports import Use
from nexus.application.platform.own_api_keys import (
    OF_ITS_OWNER,
    KeyWish,
    ListApiKeys,
    MakeApiKey,
    RevokeApiKey,
    RotateApiKey,
    ShowApiKey,
)
from nexus.application.platform.presented_api_key import AdmitKey, RecogniseKey, WriteKeyUses
from nexus.application.platform.scopes import NoSuchScope
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.platform.api_keys import (
    MOST_KEYS,
    KeyEnded,
    KeyState,
    KeyText,
    KeyType,
    NotFromThisAddress,
    RotatedAlready,
    TooManyKeys,
)
from people import MONDAY, Stage

NOW, THEN = b"t" * 32, b"s" * 32
DIGESTS = HmacDigests([THEN])
TICK = timedelta(microseconds=1)


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def hr(stage):
    return stage.user(Role.HR_ADMIN, stage.company(), email="hr@acme.example")


def make(stage, actor, *, digests=DIGESTS, **more):
    stated = {"name": "Payroll", "scopes": ["read:employees"]} | more
    return MakeApiKey(stage.begin, stage.now, stage.new_id, new_key_text, digests)(
        KeyWish(**stated), actor=actor
    )


def rotate(stage, actor, key, **more):
    return RotateApiKey(stage.begin, stage.now, stage.new_id, new_key_text, DIGESTS)(key, actor=actor, **more)


def revoke(stage, actor, key, reason=None):
    return RevokeApiKey(stage.begin, stage.now)(key, actor=actor, reason=reason)


def recognise(stage, text, digests=DIGESTS):
    return RecogniseKey(stage.begin, stage.begin, stage.now, digests)(text)


def show(stage, actor, key):
    return ShowApiKey(stage.begin, stage.now)(key, actor=actor)


def test_a_key_is_its_owner_within_the_tenant_and_the_scopes(stage, hr):
    made = make(
        stage,
        hr,
        description="Nightly.",
        key_type=KeyType.SERVICE,
        scopes=["write:employees", "read:employees"],
        per_minute=7,
        per_day=70,
        networks=["10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.0/120"],
    )
    shown = recognise(stage, made.text)
    assert (shown.actor.user, shown.actor.role, shown.actor.company) == (hr.user, Role.HR_ADMIN, hr.company)
    assert (shown.actor.venue, shown.actor.session) == (None, None)
    assert (shown.actor.key, shown.actor.scopes) == (made.view.id, {"read:employees", "write:employees"})
    assert (shown.key.per_minute, shown.key.per_day) == (7, 70)
    assert [str(each) for each in shown.key.networks] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.0/24"]
    view = show(stage, hr, made.view.id)
    assert view == made.view
    assert view.scopes == ("read:employees", "write:employees")
    assert view.allowed_networks == ("10.0.0.0/8", "2001:db8::/32", "192.0.2.0/24")
    assert (view.prefix, view.state) == (made.text[4:12], KeyState.ACTIVE)
    assert (view.total_requests, view.last_used_at) == (0, None)


def test_the_right_prefix_with_a_wrong_secret_opens_nothing(stage, hr):
    made = KeyText.read(make(stage, hr).text)
    assert recognise(stage, KeyText(made.prefix, new_key_text().secret).text) is None
    assert recognise(stage, KeyText("zzzzzzzz", made.secret).text) is None
    assert recognise(stage, made.text[:-1]) is None
    assert recognise(stage, made.text) is not None


def test_digests_are_worth_nothing_under_another_secret(stage, hr):
    made = make(stage, hr)
    assert recognise(stage, made.text, HmacDigests([NOW])) is None


def test_a_former_secret_still_recognises_and_the_digest_is_renewed(stage, hr):
    made = make(stage, hr)
    both = HmacDigests([NOW, THEN])
    assert recognise(stage, made.text, both) is not None
    assert recognise(stage, made.text, HmacDigests([NOW])) is not None
    assert recognise(stage, made.text) is None


def test_it_ends_at_its_instant(stage, hr):
    made = make(stage, hr, expires_at=MONDAY + timedelta(hours=1))
    stage.at = MONDAY + timedelta(hours=1) - TICK
    assert recognise(stage, made.text) is not None
    stage.at = MONDAY + timedelta(hours=1)
    assert recognise(stage, made.text) is None
    assert show(stage, hr, made.view.id).state is KeyState.EXPIRED


def test_revoked_it_is_worth_nothing_at_once(stage, hr):
    made = make(stage, hr)
    view = revoke(stage, hr, made.view.id)
    assert recognise(stage, made.text) is None
    assert (view.state, view.revoked_at, view.revoke_reason) == (KeyState.REVOKED, MONDAY, OF_ITS_OWNER)
    stage.at += TICK
    assert revoke(stage, hr, made.view.id, "Again.") == view
    with pytest.raises(KeyEnded):
        rotate(stage, hr, made.view.id)


def test_rotated_both_open_until_the_overlap_ends(stage, hr):
    made = make(stage, hr, networks=["10.0.0.0/8"], per_minute=3)
    stage.at = MONDAY + timedelta(days=10)
    new = rotate(stage, hr, made.view.id, overlap=timedelta(hours=2))
    assert new.text != made.text
    assert (new.view.replaces, new.view.replaced_by) == (made.view.id, None)
    assert new.view.expires_at - new.view.created_at == timedelta(days=90)
    assert (new.view.scopes, new.view.rate_limit_per_minute) == (made.view.scopes, 3)
    old = show(stage, hr, made.view.id)
    assert (old.replaced_by, old.expires_at) == (new.view.id, stage.at + timedelta(hours=2))
    stage.at = old.expires_at - TICK
    assert recognise(stage, made.text) is not None
    assert recognise(stage, new.text) is not None
    with pytest.raises(RotatedAlready) as refused:
        rotate(stage, hr, made.view.id)
    assert refused.value.successor == new.view.id
    stage.at = old.expires_at
    assert recognise(stage, made.text) is None
    assert recognise(stage, new.text) is not None


def test_a_key_of_another_does_not_exist(stage, hr):
    made = make(stage, hr)
    other = stage.user(Role.HR_ADMIN, stage.company("Other"))
    colleague = stage.user(Role.HR_ADMIN, stage.company("Third"))
    for stranger in (other, colleague):
        for deed in (show, rotate, revoke):
            with pytest.raises(NoSuchThing):
                deed(stage, stranger, made.view.id)
        assert ListApiKeys(stage.begin, stage.now)(actor=stranger) == []
    with pytest.raises(NoSuchThing):
        show(stage, hr, UUID(int=12345))
    assert recognise(stage, made.text) is not None


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.HR_ADMIN, ["write:sessions"]),
        (Role.HR_ADMIN, ["read:employees", "read:children"]),
        (Role.HR_ADMIN, []),
        (Role.HR_ADMIN, ["read:employees "]),
        (Role.PARENT, ["read:activities"]),
        (Role.PLATFORM_ADMIN, ["read:rosters"]),
    ],
)
def test_only_scopes_of_the_makers_role(stage, role, scopes):
    company = None if role is Role.PLATFORM_ADMIN else stage.company()
    with pytest.raises(NoSuchScope):
        make(stage, stage.user(role, company), scopes=scopes)


def test_a_mistyped_network_makes_no_key(stage, hr):
    with pytest.raises(InvalidValue):
        make(stage, hr, networks=["10.0.0.1/8"])
    assert ListApiKeys(stage.begin, stage.now)(actor=hr) == []


def test_twenty_live_keys_at_most(stage, hr):
    keys = [make(stage, hr) for _ in range(MOST_KEYS)]
    with pytest.raises(TooManyKeys):
        make(stage, hr)
    with pytest.raises(TooManyKeys):
        rotate(stage, hr, keys[0].view.id)
    make(stage, stage.user(Role.HR_ADMIN, stage.company("Other")))
    revoke(stage, hr, keys[0].view.id)
    make(stage, hr)


def test_own_keys_by_pages_newest_first(stage, hr):
    made = []
    for _ in range(5):
        made.append(make(stage, hr).view.id)
        stage.at += TICK * (len(made) % 2)
    listed = ListApiKeys(stage.begin, stage.now)
    first = listed(actor=hr, limit=2)
    second = listed(actor=hr, after=(first[-1].created_at, first[-1].id), limit=10)
    assert [each.id for each in [*first, *second]] == made[::-1]


def test_the_platform_finds_a_leaked_key_sees_its_use_and_ends_it(stage, hr):
    made, other = make(stage, hr), make(stage, stage.user(Role.HR_ADMIN, stage.company("Other")))
    admin = stage.user(Role.PLATFORM_ADMIN)
    search = SearchApiKeys(stage.begin, stage.now)
    assert [each.id for each in search(prefix=made.view.prefix)] == [made.view.id]
    assert made.view.id in {each.id for each in search(prefix=made.view.prefix[:1])}
    assert search(prefix="________") == []
    assert [each.id for each in search(email="HR@acme.example")] == [made.view.id]
    assert search(email="hr@acme.exampl") == []
    newest = search(limit=1)
    assert len(newest) == 1
    rest = search(after=(newest[0].created_at, newest[0].id))
    assert {newest[0].id, *(each.id for each in rest)} == {made.view.id, other.view.id}
    found = search(prefix=made.view.prefix)[0]
    assert (found.owner_id, found.owner_email, found.role) == (hr.user, "hr@acme.example", Role.HR_ADMIN)
    assert (found.company_id, found.venue_id, found.revoked_by) == (hr.company, None, None)
    gone = RevokeAnyApiKey(stage.begin, stage.now)(made.view.id, actor=admin, reason="Leaked.")
    assert (gone.state, gone.revoked_by, gone.revoke_reason) == (KeyState.REVOKED, admin.user, "Leaked.")
    assert recognise(stage, made.text) is None
    assert recognise(stage, other.text) is not None
    with pytest.raises(NoSuchThing):
        RevokeAnyApiKey(stage.begin, stage.now)(UUID(int=12345), actor=admin, reason="r")
    with pytest.raises(InvalidValue):
        RevokeAnyApiKey(stage.begin, stage.now)(other.view.id, actor=admin, reason=" ")


def test_use_is_added_up_and_the_last_one_stays(stage, hr):
    one, two = make(stage, hr).view.id, make(stage, hr).view.id

    def used(**uses):
        with stage.begin() as work:
            work.api_keys.used({{"one": one, "two": two}[key]: use for key, use in uses.items()})

    def seen(key):
        view = show(stage, hr, key)
        return view.total_requests, view.last_used_at, view.last_used_address

    later = MONDAY + timedelta(minutes=1)
    used(
        one=Use(times=3, last_at=later, last_address="::ffff:10.0.0.1"),
        two=Use(times=1, last_at=MONDAY, last_address="testclient"),
    )
    assert seen(one) == (3, later, "10.0.0.1")
    assert seen(two) == (1, MONDAY, None)
    used(one=Use(times=2, last_at=MONDAY, last_address="10.0.0.2"))
    assert seen(one) == (5, later, "10.0.0.1"), "another process was late"
    used(one=Use(times=1, last_at=later + TICK, last_address="2001:db8::1"))
    assert seen(one) == (6, later + TICK, "2001:db8::1")


def test_use_is_counted_here_and_written_in_one_go(stage, hr):
    made = make(stage, hr, per_minute=2, networks=["10.0.0.0/8"])
    uses, key = CountedUses(), recognise(stage, made.text)
    admit = AdmitKey(MemoryLimiter(), uses, stage.now)
    write = WriteKeyUses(stage.begin, uses)
    assert admit(key, address="10.1.1.1").remaining == 1
    with pytest.raises(NotFromThisAddress):
        admit(key, address="11.1.1.1")
    stage.at += TICK
    assert admit(key, address="10.1.1.2").is_granted
    assert not admit(key, address="10.1.1.3").is_granted
    assert show(stage, hr, made.view.id).total_requests == 0
    write()
    write()
    view = show(stage, hr, made.view.id)
    assert (view.total_requests, view.last_used_at, view.last_used_address) == (2, stage.at, "10.1.1.2")


def test_what_could_not_be_written_is_not_forgotten(stage, hr):
    made = make(stage, hr)
    uses = CountedUses()
    uses.note(made.view.id, at=stage.at, address=None)

    def away():
        raise ConnectionError

    with pytest.raises(ConnectionError):
        WriteKeyUses(away, uses)()
    uses.note(made.view.id, at=stage.at, address=None)
    WriteKeyUses(stage.begin, uses)()
    assert show(stage, hr, made.view.id).total_requests == 2
