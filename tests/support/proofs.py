"""Somebody's second factor and sign-ins, over any store."""

from datetime import timedelta
from itertools import count

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.passwords.factors import new_recovery_code, new_seed
from nexus.application.identity.attempts import Attempts
from nexus.application.identity.complete_sign_in import CompleteSignIn
from nexus.application.identity.disable_user import DisableUser, EnableUser
from nexus.application.identity.second_factor import (
    BeginSecondFactor,
    CheckCode,
    ConfirmSecondFactor,
    RemoveSecondFactor,
    RenewRecoveryCodes,
    ResetSecondFactor,
    ShowSecondFactor,
)
from nexus.application.identity.sessions import (
    EndOtherSignIns,
    EndSignIn,
    ListSignIns,
    OpenSignIn,
    RenewSignIn,
)
from nexus.application.identity.sign_in import Authenticate, SignIn
from nexus.application.identity.views import SecondFactorNeeded
from nexus.domain.identity.people import Role
from nexus.domain.identity.second_factor import as_seed, hotp, step_at
from people import MONDAY

SECRET = "correct horse battery"
STEP = timedelta(seconds=30)


class Proofs:
    """Somebody's second factor and sign-ins, over a store."""

    def __init__(self, stage):
        self.stage = stage
        tokens = count(1)
        begin, now, vault = stage.begin, stage.now, stage.vault
        opened = OpenSignIn(stage.new_id, lambda: f"token-{next(tokens)}")
        renew, check = RenewSignIn(opened), CheckCode(begin, vault)
        self.sign_in = SignIn(begin, now, opened, stage.passwords, Attempts(MemoryLimiter()))
        self.complete = CompleteSignIn(begin, now, opened, check)
        self.authenticate = Authenticate(begin, now)
        self.begin = BeginSecondFactor(begin, now, new_seed, vault, check)
        self.confirm = ConfirmSecondFactor(now, new_recovery_code, vault, check, renew)
        self.remove = RemoveSecondFactor(now, check, renew)
        self.renew_codes = RenewRecoveryCodes(now, new_recovery_code, check, renew)
        self.show = ShowSecondFactor(begin, now)
        self.reset = ResetSecondFactor(begin, now)
        self.list = ListSignIns(begin, now)
        self.end = EndSignIn(begin, now)
        self.end_others = EndOtherSignIns(begin, now)
        self.disable = DisableUser(begin, now)
        self.enable = EnableUser(begin, now)

    def need(self, *roles):
        with self.stage.begin() as work:
            work.settings.change(
                {"second_factor_required_roles": list(roles)}, effective_from=MONDAY, by=self.root.user
            )

    @property
    def root(self):
        if not hasattr(self, "_root"):
            self._root = self.stage.user(Role.PLATFORM_ADMIN, email="root@example.com", password=SECRET)
        return self._root

    def comes(self, email="root@example.com", **more):
        """The actor and token of somebody whose password is enough."""
        token = self.sign_in(email, SECRET, **more).token
        return self.authenticate(token), token

    def enrol(self, actor):
        """The seed, the recovery codes and the new token of somebody who sets a factor up."""
        seed = as_seed(self.begin(actor=actor).secret)
        enrolled = self.confirm(self.code(seed), actor=actor)
        self.later(STEP)
        return seed, enrolled.recovery_codes, enrolled.sign_in.token

    def code(self, seed, steps=0):
        return hotp(seed, step_at(self.stage.at) + steps)

    def later(self, time):
        self.stage.at += time

    def challenge(self, email="root@example.com", **more):
        needed = self.sign_in(email, SECRET, **more)
        assert isinstance(needed, SecondFactorNeeded)
        return needed.challenge
