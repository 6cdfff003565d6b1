"""Three companies, their people, and the children."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from attrs import define, frozen

from nexus.application.identity.companies import NewCompany, NewSubscription
from nexus.application.identity.create_user import NewUser
from nexus.application.kernel.actor import Actor
from nexus.domain.billing.subscriptions import Tier
from nexus.domain.catalogue.activities import Category
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.identity.families import ChildProfile, EnergyLevel, SocialPreference
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ChildId, CompanyId, UserId
from nexus.domain.kernel.money import Money
from nexus.domain.kernel.time import local_date
from nexus.entrypoints.demo.accounts import DEMO_PASSWORD, EASY_SIGN_IN, HR_ADMIN, PARENT, PLATFORM_ADMIN
from nexus.entrypoints.demo.data import FamilyLine, families
from nexus.entrypoints.demo.stage import Stage
from nexus.entrypoints.demo.town import ZONE

CONSENT_TEXT: Final = "2026-01"
FIXED_PARENT: Final = "Okafor"
FIXED_CREDITS: Final = 60


@frozen
class _Plan:
    name: str
    industry: str
    tier: Tier
    zone: str
    billing_day: int
    credits: int
    covers: int
    each_minor: int
    premium: bool = False


PLANS: Final[Mapping[str, _Plan]] = {
    "lakewright": _Plan(
        "Lakewright Robotics",
        "Manufacturing",
        Tier.PREMIUM,
        "America/Chicago",
        1,
        40,
        60,
        16_000,
        premium=True,
    ),
    "northbank": _Plan(
        "Northbank Paper Company", "Paper", Tier.STANDARD, "America/New_York", 15, 24, 25, 9_600
    ),
    "tallgrass": _Plan("Tallgrass Credit Union", "Finance", Tier.BASIC, "America/Denver", 25, 12, 15, 4_800),
}

MEDICAL: Final = {
    "Zuri": "Peanut allergy; an adrenaline pen is in the front pocket of her bag.",
    "Mateo": "Mild asthma; blue inhaler before running.",
    "Nora": "Coeliac disease: no gluten at all.",
    "Isaiah": "Type 1 diabetes; wears a sensor and has a snack at four.",
    "Caleb": "Hearing aids in both ears; please face him when you speak.",
}
NOT_SHARED: Final = "Isaiah"
NEEDS: Final = {"Winona": ["wheelchair"], "Caleb": ["hearing support"], "Elsa": ["quiet room"]}
STILL_A_DRAFT: Final = "Judith"
AVOIDABLE: Final = ("messy", "loud", "competitive", "physical_contact")


@frozen
class Kid:
    """A child as the story needs to know it."""

    id: ChildId
    name: str
    born: date
    interests: frozenset[str]


@define
class Family:
    """An employee with the children for whom they book."""

    actor: Actor
    company: CompanyId
    has_premium: bool
    is_fixed: bool
    kids: list[Kid]

    @property
    def parent(self) -> UserId:
        return self.actor.user

    def kid(self, name: str) -> Kid:
        return next(kid for kid in self.kids if kid.name == name)


@define
class People:
    """Whoever has joined so far."""

    families: list[Family]
    platform_admin: Actor

    @property
    def fixed(self) -> Family:
        return next(family for family in self.families if family.is_fixed)

    @property
    def others(self) -> Sequence[Family]:
        return [family for family in self.families if not family.is_fixed]


def invite_everybody(stage: Stage, progress: Callable[[], None]) -> People:
    """Take on the companies; their people join now, or on their day."""
    admin = stage.nexus.create_user(
        NewUser(
            email=PLATFORM_ADMIN.email,
            role=Role.PLATFORM_ADMIN,
            first_name="Robin",
            last_name="Vale",
            time_zone=ZONE,
            password=DEMO_PASSWORD,
            is_verified=True,
        )
    )
    companies = {key: _found(stage, plan) for key, plan in PLANS.items()}
    people = People([], Actor(user=admin.id, role=admin.role))
    stage.nexus.change_settings(EASY_SIGN_IN, actor=people.platform_admin)

    def join(line: FamilyLine) -> None:
        people.families.append(_join(stage, line, companies[line.company]))

    for line in families():
        when = stage.before_end(days=line.joined_days_ago)
        if when <= stage.now:
            join(line)
        else:
            stage.at(when, lambda line=line: join(line))  # type: ignore[misc]
        progress()
    return people


def _found(stage: Stage, plan: _Plan) -> CompanyId:
    since = local_date(stage.now, plan.zone) - timedelta(days=100)
    domain = plan.name.split()[0].lower()
    company = stage.nexus.create_company(
        NewCompany(
            name=plan.name,
            time_zone=plan.zone,
            contact_name="The benefits team",
            contact_email=f"benefits@{domain}.example",
            industry=plan.industry,
            employee_count=plan.covers * 4,
            contract_start=since,
        )
    )
    stage.nexus.create_subscription(
        NewSubscription(
            company=company.id,
            tier=plan.tier,
            covered_employees=plan.covers,
            credits_per_employee=plan.credits,
            monthly_cost=Money(plan.each_minor * plan.covers),
            billing_day=plan.billing_day,
            start_date=since,
            premium_venue_access=plan.premium,
        )
    )
    return company.id


def _join(stage: Stage, line: FamilyLine, company: CompanyId) -> Family:
    role = Role(line.role)
    is_fixed = line.last_name == FIXED_PARENT
    me = stage.nexus.create_user(
        NewUser(
            email=_email(line, role, is_fixed=is_fixed),
            role=role,
            first_name=line.first_name,
            last_name=line.last_name,
            company=company,
            time_zone=ZONE,
            department=line.department,
            phone=f"+1 773 555 01{stage.random.randrange(100):02}",
            monthly_credits=FIXED_CREDITS if is_fixed else None,
            password=DEMO_PASSWORD,
            is_verified=True,
        )
    )
    actor = Actor(user=me.id, role=role, company=company)
    kids = [_register(stage, actor, name, age) for name, age in line.children]
    return Family(
        actor,
        company,
        PLANS[line.company].premium,
        is_fixed,
        [kid for kid in kids if kid.name != STILL_A_DRAFT],
    )


def _email(line: FamilyLine, role: Role, *, is_fixed: bool) -> str:
    if is_fixed:
        return PARENT.email
    if role is Role.HR_ADMIN and line.company == "lakewright":
        return HR_ADMIN.email
    return f"{_ascii(line.first_name)}.{_ascii(line.last_name)}@{line.company}.example"


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum())


def _register(stage: Stage, actor: Actor, name: str, age: int) -> Kid:
    """A child whose age stays the same for as long as the sessions reach."""
    random = stage.random
    born = local_date(stage.end, ZONE) - timedelta(days=int(age * 365.25) + random.randint(60, 280))
    interests = random.sample([category.value for category in Category], random.randint(2, 4))
    profile = ChildProfile(
        first_name=name,
        date_of_birth=born,
        energy_level=random.choice(list(EnergyLevel)),
        social_preference=random.choice(list(SocialPreference)),
        interests=interests,
        activities_to_avoid=random.sample(AVOIDABLE, 1) if random.random() < 0.3 else (),  # noqa: PLR2004
        accessibility_needs=NEEDS.get(name, ()),
        medical_notes=MEDICAL.get(name),
    )
    child = stage.nexus.add_child(profile, actor=actor)
    likely = {Purpose.PHOTO_SHARING: 0.5, Purpose.COWORKER_MATCHING: 0.3, Purpose.AI_PERSONALISATION: 0.7}
    decisions = {purpose: random.random() < chance for purpose, chance in likely.items()}
    for purpose in (Purpose.DATA_COLLECTION, Purpose.DATA_PROCESSING, Purpose.ACTIVITY_BOOKING):
        decisions[purpose] = True
    if name in MEDICAL:
        decisions[Purpose.MEDICAL_SHARING] = name != NOT_SHARED
    if name != STILL_A_DRAFT:
        stage.nexus.record_consent(
            child.id, decisions, actor=actor, text_version=CONSENT_TEXT, method=ConsentMethod.CHECKBOX
        )
    return Kid(child.id, name, born, frozenset(interests))
