"""What runs the product itself: API keys, settings, keys at rest, upkeep."""

from functools import cached_property

from nexus.adapters.passwords.api_keys import HmacDigests, new_key_text
from nexus.adapters.postgres.verifications import check_all
from nexus.adapters.system.key_uses import CountedUses
from nexus.adapters.vault.keyring import Use
from nexus.application.kernel.jobs import CallDueJobs
from nexus.application.platform.all_api_keys import RevokeAnyApiKey, SearchApiKeys
from nexus.application.platform.own_api_keys import (
    ListApiKeys,
    MakeApiKey,
    RevokeApiKey,
    RotateApiKey,
    ShowApiKey,
)
from nexus.application.platform.parked import ListTroubledEvents, RetryParkedEvents
from nexus.application.platform.presented_api_key import AdmitKey, RecogniseKey, WriteKeyUses
from nexus.application.platform.rotate_keys import RotateKeys
from nexus.application.platform.settings import ChangeSettings, ReadSettings
from nexus.application.platform.show_keys import ShowKeys
from nexus.application.platform.tidy_up import TidyUp
from nexus.application.platform.verify_data import ListVerifications, VerifyData
from nexus.entrypoints.wiring.means import Means


class Platform(Means):
    """The product's own keeping."""

    # --- API keys

    @cached_property
    def _key_digests(self) -> HmacDigests:
        return HmacDigests(self._keyring.keys_for(Use.API_KEYS))

    @cached_property
    def _key_uses(self) -> CountedUses:
        return CountedUses()

    @cached_property
    def recognise_key(self) -> RecogniseKey:
        return RecogniseKey(self.read_as_platform, self.begin_as_platform, self.now, self._key_digests)

    @cached_property
    def admit_key(self) -> AdmitKey:
        return AdmitKey(self.limiter, self._key_uses, self.now)

    @cached_property
    def write_key_uses(self) -> WriteKeyUses:
        return WriteKeyUses(self.begin_as_platform, self._key_uses)

    @cached_property
    def make_api_key(self) -> MakeApiKey:
        return MakeApiKey(self.begin, self.now, self.new_id, new_key_text, self._key_digests)

    @cached_property
    def rotate_api_key(self) -> RotateApiKey:
        return RotateApiKey(self.begin, self.now, self.new_id, new_key_text, self._key_digests)

    @cached_property
    def revoke_api_key(self) -> RevokeApiKey:
        return RevokeApiKey(self.begin, self.now)

    @cached_property
    def list_api_keys(self) -> ListApiKeys:
        return ListApiKeys(self.read, self.now)

    @cached_property
    def show_api_key(self) -> ShowApiKey:
        return ShowApiKey(self.read, self.now)

    @cached_property
    def search_api_keys(self) -> SearchApiKeys:
        return SearchApiKeys(self.read, self.now)

    @cached_property
    def revoke_any_api_key(self) -> RevokeAnyApiKey:
        return RevokeAnyApiKey(self.begin, self.now)

    # --- settings

    @cached_property
    def read_settings(self) -> ReadSettings:
        return ReadSettings(self.read, self.now)

    @cached_property
    def change_settings(self) -> ChangeSettings:
        return ChangeSettings(self.begin, self.now)

    # --- upkeep

    @cached_property
    def call_due_jobs(self) -> CallDueJobs:
        return CallDueJobs(self.begin, self.now, self.new_id)

    @cached_property
    def rotate_keys(self) -> RotateKeys:
        return RotateKeys(self.begin, self.now, self._vault)

    @cached_property
    def show_keys(self) -> ShowKeys:
        return ShowKeys(self.read, self._vault, self._keyring.names)

    @cached_property
    def tidy_up(self) -> TidyUp:
        return TidyUp(self.begin, self.now)

    @cached_property
    def verify_data(self) -> VerifyData:
        return VerifyData(
            self.begin_as_platform,
            self.now,
            self.new_id,
            lambda at, last_offer: check_all(self.pool, at, last_offer),
        )

    @cached_property
    def list_verifications(self) -> ListVerifications:
        return ListVerifications(self.read)

    @cached_property
    def list_troubled_events(self) -> ListTroubledEvents:
        return ListTroubledEvents(self.read)

    @cached_property
    def retry_parked_events(self) -> RetryParkedEvents:
        return RetryParkedEvents(self.begin)
