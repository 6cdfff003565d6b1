"""A key that somebody shows: whose it is, whether it may be used now, and that it was."""

from datetime import timedelta
from typing import Final

from attrs import frozen

from nexus.application.kernel.limits import Allowance, Limit, Limiter
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.platform.api_key_ports import ApiKeyWork, KeyDigests, KeyUses, StoredKey
from nexus.domain.platform.api_keys import KeyText, NotFromThisAddress

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


@frozen
class RecogniseKey:
    """
    Whose key this is: one query; ``None`` if unknown, mistyped, ended, or of an
    account that is not any more what it was when it made the key.
    """

    read: Begin[ApiKeyWork]
    begin: Begin[ApiKeyWork]
    now: Clock
    digests: KeyDigests

    def __call__(self, text: str, /) -> StoredKey | None:
        shown = KeyText.read(text)
        if shown is None:
            return None
        with self.read() as work:
            found = work.api_keys.find(shown.prefix, at=self.now())
        if found is None or not self.digests.matches(shown, found.digest):
            return None
        if self.digests.is_outdated(shown, found.digest):
            # Only the key itself tells its digest under the installation's new secret.
            with self.begin() as work:
                work.api_keys.renew(found.key.id, self.digests.of(shown))
        return found


@frozen
class AdmitKey:
    """Whether a key may be used once more, from there and now."""

    limiter: Limiter
    uses: KeyUses
    now: Clock

    def __call__(self, shown: StoredKey, *, address: str | None) -> Allowance:
        """
        What its limits leave; the request goes on only if it is granted.

        Raises:
            NotFromThisAddress: Its networks do not have the address.
        """
        key = shown.key
        if not key.admits(address):
            raise NotFromThisAddress(address)
        allowance = self.limiter.take(
            (f"key/{key.id}/minute", Limit(key.per_minute, _MINUTE)),
            (f"key/{key.id}/day", Limit(key.per_day, _DAY)),
        )
        if allowance.is_granted:
            self.uses.note(key.id, at=self.now(), address=address)
        return allowance


@frozen
class WriteKeyUses:
    """Write down what this process has counted of the use of keys; once a minute, and at its end."""

    begin: Begin[ApiKeyWork]
    uses: KeyUses

    def __call__(self) -> None:
        uses = self.uses.take()
        if not uses:
            return
        try:
            with self.begin() as work:
                work.api_keys.used(uses)
        except BaseException:
            self.uses.give_back(uses)
            raise
