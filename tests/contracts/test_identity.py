"""What every store promises about accounts, companies and what HR sees."""

from datetime import date
from itertools import count

import pytest

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.application.identity.attempts import Attempts
from nexus.application.identity.companies import ListCompanies, ListSubscriptions
from nexus.application.identity.hr import ListEmployees
from nexus.application.identity.sessions import OpenSignIn
from nexus.application.identity.sign_in import Authenticate, ShowMe, SignIn, SignOut
from nexus.domain.billing.subscriptions import SubscriptionsOverlap
from nexus.domain.identity.credentials import UnacceptablePassword, WrongCredentials
from nexus.domain.identity.people import EmailTaken, MisplacedRole, Role
from nexus.domain.identity.tenants import NoSeatsLeft
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId
from nexus.domain.kernel.time import UnknownTimeZone
from people import PlainPasswords, Stage

SECRET = "correct horse battery"
TOKENS = map("token-{}".format, count(1))


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


def signer(stage, passwords=None):
    opened = OpenSignIn(stage.new_id, lambda: next(TOKENS))
    return SignIn(stage.begin, stage.now, opened, passwords or stage.passwords, Attempts(MemoryLimiter()))


def authenticate(stage, token):
    return Authenticate(stage.begin, stage.now)(token)


def test_a_token_is_its_owners(stage):
    company = stage.company()
    parent = stage.user(company=company, email="Ada@Example.com", password=SECRET)
    result = signer(stage)("  ada@EXAMPLE.com ", SECRET)
    assert result.me.id == parent.user
    assert (result.me.email, result.me.company_name) == ("Ada@Example.com", "Acme")
    assert not result.password_is_short
    actor = authenticate(stage, result.token)
    assert (actor.user, actor.role, actor.company) == (parent.user, Role.PARENT, company.id)


def test_signing_out_ends_that_sign_in_and_no_other(stage):
    stage.user(Role.PLATFORM_ADMIN, email="a@example.com", password=SECRET)
    sign_in = signer(stage)
    one, other = sign_in("a@example.com", SECRET), sign_in("a@example.com", SECRET)
    actor = authenticate(stage, one.token)
    SignOut(stage.begin, stage.now)(actor=actor)
    SignOut(stage.begin, stage.now)(actor=actor)
    assert authenticate(stage, one.token) is None
    assert authenticate(stage, other.token) is not None


@pytest.mark.parametrize("token", ["", "token-0", "x" * 5000, "\x00", "\ud800", "ü"])
def test_other_tokens_are_nobody_s(stage, token):
    assert authenticate(stage, token) is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("a@example.com", "wrong horse battery"),
        ("a@example.com", ""),
        ("a@example.com", "x" * 100_000),
        ("a@example.com", "\ud800"),
        ("b@example.com", SECRET),
        ("sso@example.com", ""),
        ("\x00", SECRET),
        ("", ""),
    ],
)
def test_every_way_to_fail_is_one_error_and_takes_one_verification(stage, email, password):
    stage.user(Role.PLATFORM_ADMIN, email="a@example.com", password=SECRET)
    stage.user(Role.PLATFORM_ADMIN, email="sso@example.com")
    with pytest.raises(WrongCredentials):
        signer(stage)(email, password)
    assert len(stage.passwords.verified) == 1


def test_an_outdated_hash_is_renewed_at_sign_in(stage):
    stage.passwords = PlainPasswords("old")
    stage.user(Role.PLATFORM_ADMIN, email="a@example.com", password=SECRET)
    new = PlainPasswords("new")
    signer(stage, new)("a@example.com", SECRET)
    signer(stage, new)("a@example.com", SECRET)
    assert new.verified == [f"old:{SECRET}", f"new:{SECRET}"]


def test_a_password_is_the_same_on_every_keyboard(stage):
    stage.user(Role.PLATFORM_ADMIN, email="a@example.com", password="cafe\u0301-secret")
    assert signer(stage)("a@example.com", "caf\u00e9-secret").password_is_short


@pytest.mark.parametrize(
    ("password", "fits"),
    [("x" * 7, False), ("x" * 8, True), ("x" * 128, True), ("x" * 129, False), ("日本語日本語日本", True)],
)
def test_passwords_have_8_to_128_characters(stage, password, fits):
    if fits:
        assert stage.user(Role.PLATFORM_ADMIN, password=password)
    else:
        with pytest.raises(UnacceptablePassword):
            stage.user(Role.PLATFORM_ADMIN, password=password)


def test_an_address_belongs_to_one_account(stage):
    stage.user(Role.PLATFORM_ADMIN, email="a@example.com")
    with pytest.raises(EmailTaken):
        stage.user(Role.PLATFORM_ADMIN, email="A@EXAMPLE.com")


def test_a_role_decides_the_tenant(stage):
    company = stage.company()
    with pytest.raises(MisplacedRole):
        stage.user(Role.PLATFORM_ADMIN, company=company)
    with pytest.raises(MisplacedRole):
        stage.user(Role.PARENT)
    company_of_nobody = CompanyId(stage.new_id())
    with pytest.raises(NoSuchThing):
        stage.user(Role.VENUE_ADMIN, venue=company_of_nobody)


def test_a_subscription_caps_the_seats(stage):
    company = stage.company()
    stage.subscription(company, covered=2)
    stage.user(company=company)
    stage.user(Role.HR_ADMIN, company=company)
    with pytest.raises(NoSeatsLeft) as refused:
        stage.user(company=company, email="late@example.com")
    assert refused.value.members() == {"covered": 2}
    with stage.begin() as work:
        assert work.accounts.credentials("late@example.com") is None, "nothing is left of the attempt"


def test_me_is_whoever_asks(stage):
    parent = stage.user(company=stage.company())
    assert ShowMe(stage.begin)(actor=parent).id == parent.user


def test_subscriptions_of_a_company_never_overlap(stage):
    company, other = stage.company(), stage.company("Other")
    stage.subscription(company, start=date(2026, 2, 1), end=date(2026, 3, 1))
    for start, end in [
        (date(2026, 1, 1), date(2026, 2, 2)),
        (date(2026, 2, 28), None),
        (date(2026, 1, 1), None),
        (date(2026, 2, 10), date(2026, 2, 11)),
    ]:
        with pytest.raises(SubscriptionsOverlap):
            stage.subscription(company, start=start, end=end)
    stage.subscription(company, start=date(2026, 1, 1), end=date(2026, 2, 1))
    stage.subscription(company, start=date(2026, 3, 1))
    stage.subscription(other, start=date(2026, 2, 1))
    listed = ListSubscriptions(stage.begin)
    assert [each.start_date.month for each in listed(company=company.id)] == [3, 2, 1]
    everything = listed()
    assert len(everything) == 4
    paged, after = [], None
    while page := listed(after=after, limit=1):
        paged += page
        after = (page[-1].start_date, page[-1].id)
    assert paged == list(everything)


@pytest.mark.parametrize("billing_day", [0, 29])
def test_a_billing_day_exists_in_every_month(stage, billing_day):
    with pytest.raises(InvalidValue):
        stage.subscription(stage.company(), billing_day=billing_day)


def test_companies_come_by_name_in_pages(stage):
    for name in ("beta", "Alpha", "alpha", "Gamma"):
        stage.company(name)
    listed = ListCompanies(stage.begin)
    assert [company.name.lower() for company in listed()] == ["alpha", "alpha", "beta", "gamma"]
    paged, after = [], None
    while page := listed(after=after, limit=1):
        paged += page
        after = (page[-1].name, page[-1].id)
    assert paged == list(listed())
    with pytest.raises(UnknownTimeZone):
        stage.company("Nowhere", "Mars/Olympus")


def test_hr_sees_its_own_people_and_what_they_were_given(stage):
    company, other = stage.company(), stage.company("Other")
    stage.subscription(company)
    hr = stage.user(Role.HR_ADMIN, company=company, first_name="Zoe", last_name="Abel")
    stage.user(company=company, first_name="bob", last_name="Zimmer", department="Sales")
    stage.user(company=company, first_name="Ann", last_name="zimmer")
    stage.user(company=other)
    employees = ListEmployees(stage.begin, stage.now)
    found = employees(actor=hr)
    assert [each.first_name for each in found] == ["Zoe", "Ann", "bob"]
    assert [each.credits_allocated for each in found] == [8, 8, 8]
    assert found[2].department == "Sales"
    paged, after = [], None
    while page := employees(actor=hr, after=after, limit=1):
        paged += page
        after = (page[-1].last_name, page[-1].first_name, page[-1].id)
    assert paged == list(found)
