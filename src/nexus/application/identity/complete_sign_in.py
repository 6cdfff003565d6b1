"""The second half of a sign-in."""

from attrs import frozen

from nexus.application.identity.factor_ports import FactorWork
from nexus.application.identity.second_factor import CheckCode
from nexus.application.identity.sessions import OpenSignIn
from nexus.application.identity.sign_in import SignInResult
from nexus.application.identity.tokens import LONGEST_TOKEN, token_hash
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.second_factor import TRIES_FOR_EACH_CHALLENGE, ChallengeEnded, NoSecondFactor


@frozen
class CompleteSignIn:
    """
    Show a second factor after the password.

    A challenge is answered rightly once, within five minutes, in five tries. It is
    worth nothing anywhere else, and no other token is worth anything here.
    """

    begin: Begin[FactorWork]
    now: Clock
    open_sign_in: OpenSignIn
    check: CheckCode

    def __call__(self, challenge: str, code: str, *, device: str | None = None) -> SignInResult:
        """
        The sign-in.

        Raises:
            ChallengeEnded: It is not one, not any more, or was tried too often.
            WrongCode: The code does not count; there may be tries left.
            TooManyAttempts: Too many codes were tried for the account.
        """
        if len(challenge) > LONGEST_TOKEN:
            raise ChallengeEnded
        hashed, at = token_hash(challenge), self.now()
        with self.begin() as work:
            found = work.challenges.take_try(hashed, at=at, at_most=TRIES_FOR_EACH_CHALLENGE)
        if found is None:
            raise ChallengeEnded
        with self.check.counted(found.user, at=at) as work:
            try:
                self.check.use(work, found.user, code, at=at)
            except NoSecondFactor as gone:
                raise ChallengeEnded from gone
            # Whoever ends this person's sign-ins meanwhile waits for this one, or has closed the challenge.
            holder, me = work.accounts.lock(found.user), work.accounts.me(found.user)
            if holder is None or me is None or not work.challenges.close(hashed, at=at):
                raise ChallengeEnded
            new = self.open_sign_in(
                work,
                me.id,
                me.role,
                at=at,
                remember=found.remember,
                has_second_factor=True,
                device=device,
            )
            work.audit.add(Deed(Action.SIGNED_IN, me.id, by=me.id))
        return SignInResult(sign_in=new, password_is_short=None, me=me)
