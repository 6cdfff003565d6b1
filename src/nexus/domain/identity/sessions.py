"""How long somebody stays signed in, and on what."""

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from nexus.domain.kernel.errors import Forbidden, Unauthenticated
from nexus.domain.kernel.ids import UserId

RECENTLY: Final = timedelta(minutes=10)
"""How fresh a sign-in must be to change how its owner proves who they are."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a sign-in was last used: so that asking does not mean writing."""


@frozen
class SessionEnded(Unauthenticated):
    """This sign-in is not valid, or not any more."""


@frozen
class SignInTooOld(Forbidden):
    """Sign in again to do this: it takes a sign-in that is not older than ten minutes."""


@frozen
class Lifetime:
    """How long a sign-in lasts altogether, and how long without being used."""

    altogether: timedelta
    idle: timedelta


WORKING_DAY: Final = Lifetime(altogether=timedelta(hours=12), idle=timedelta(hours=1))
REMEMBERED: Final = Lifetime(altogether=timedelta(days=30), idle=timedelta(days=14))


@frozen(kw_only=True)
class SignedIn:
    """
    One sign-in: its id, whose it is and until when; the token itself is nowhere kept.

    With ``has_second_factor`` it was proven by more than a password.
    """

    id: str
    user: UserId
    created_at: datetime
    expires_at: datetime
    idle_limit: timedelta
    is_remembered: bool
    has_second_factor: bool
    address: str | None = None
    device: str | None = None

    @classmethod
    def of(
        cls,
        sign_in: str,
        user: UserId,
        *,
        at: datetime,
        remember: bool,
        has_second_factor: bool,
        address: str | None = None,
        device: str | None = None,
    ) -> "SignedIn":
        lifetime = REMEMBERED if remember else WORKING_DAY
        return cls(
            id=sign_in,
            user=user,
            created_at=at,
            expires_at=at + lifetime.altogether,
            idle_limit=lifetime.idle,
            is_remembered=remember,
            has_second_factor=has_second_factor,
            address=address,
            device=device,
        )


def must_be_recent(signed_in_at: datetime, *, at: datetime) -> None:
    """
    Raises:
        SignInTooOld: Whoever found an unlocked computer must not change its owner's factors.
    """
    if at - signed_in_at > RECENTLY:
        raise SignInTooOld


# The first that fits: browsers name themselves after each other, the imitated last.
_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_family(user_agent: str | None) -> str | None:
    """
    What a program says it is, coarsely: ``Firefox on Windows``.

    Enough to recognise one's own device, too little to track it. None if it says
    nothing that is known.
    """
    said = user_agent or ""
    program = next((name for mark, name in _PROGRAMS if mark in said), None)
    system = next((name for mark, name in _SYSTEMS if mark in said), None)
    return " on ".join(part for part in (program, system) if part) or None
