"""
How often somebody may try to prove who they are.

Counted before anything slow is computed, under the address that was typed: that
there is no such account changes nothing. Why these figures: decision 17.
"""

from datetime import timedelta
from hashlib import sha256
from math import ceil
from typing import Final

from attrs import frozen

from nexus.application.kernel.caller import caller
from nexus.application.kernel.limits import Limit, Limiter
from nexus.domain.identity.credentials import TooManyAttempts
from nexus.domain.kernel.networks import subscriber

QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)


@frozen(kw_only=True)
class Pace:
    """How often, for one account from one network, for one account, and from one network."""

    purpose: str
    account_from_network: Limit
    account: Limit
    network: Limit


SIGNING_IN: Final = Pace(
    purpose="sign-in",
    account_from_network=Limit(10, QUARTER),
    account=Limit(100, HOUR),
    network=Limit(300, QUARTER),
)
ASKING_FOR_MAIL: Final = Pace(
    purpose="account-mail",
    account_from_network=Limit(3, QUARTER),
    account=Limit(10, HOUR),
    network=Limit(60, HOUR),
)
USING_A_LINK: Final = Limit(60, QUARTER)
"""Attempts with links from mails, from one network; a link's secret cannot be guessed, its page costs a query."""


@frozen
class Attempts:
    """The attempts that whoever is asking has left."""

    limiter: Limiter

    def take(self, pace: Pace, email: str) -> None:
        """
        Take one attempt for this address.

        Raises:
            TooManyAttempts: None is left, from here or for this account.
        """
        account, here = _account(pace, email), subscriber(caller.get().address)
        self._take(
            (f"{account}/{here}", pace.account_from_network),
            (account, pace.account),
            *([(f"{pace.purpose}/address/{here}", pace.network)] if here else []),
        )

    def succeeded(self, pace: Pace, email: str) -> None:
        """
        Give the account its attempts back.

        Those of the network stay taken: an account of one's own must not reset them.
        """
        account, here = _account(pace, email), subscriber(caller.get().address)
        self.limiter.forget(f"{account}/{here}", account)

    def take_link(self) -> None:
        """
        Take one attempt with a link from a mail.

        Raises:
            TooManyAttempts: None is left from here.
        """
        here = subscriber(caller.get().address)
        if here:
            self._take((f"mail-link/address/{here}", USING_A_LINK))

    def _take(self, *wanted: tuple[str, Limit]) -> None:
        wait = self.limiter.take(*wanted).retry_after
        if wait is not None:
            raise TooManyAttempts(max(1, ceil(wait.total_seconds())))


def _account(pace: Pace, email: str) -> str:
    """Without the address itself: names of counters are not kept as carefully as accounts are."""
    folded = email.strip().lower().encode(errors="replace")
    return f"{pace.purpose}/account/{sha256(folded).hexdigest()[:32]}"
