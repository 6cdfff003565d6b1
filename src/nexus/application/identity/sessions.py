"""The life of sign-ins: begun, renewed, listed, ended."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from nexus.application.identity.factor_ports import FactorWork
from nexus.application.identity.ports import NewToken, SignInEntry, SignInWork
from nexus.application.identity.tokens import token_hash
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import caller
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.people import Role
from nexus.domain.identity.sessions import SessionEnded, SignedIn, must_be_recent
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId


@frozen(kw_only=True)
class NewSignIn:
    """A sign-in with its token, which is given this once: only its hash is kept."""

    token: str = field(repr=False)
    signed_in: SignedIn
    is_restricted: bool
    """It may do nothing but set up the second factor that the role must have."""


@frozen
class OpenSignIn:
    """Begin a sign-in, inside the caller's unit of work: under a new token, whatever was sent along."""

    new_id: NewId
    new_token: NewToken

    def __call__(
        self,
        work: SignInWork,
        user: UserId,
        role: Role,
        *,
        at: datetime,
        remember: bool,
        has_second_factor: bool,
        device: str | None,
    ) -> NewSignIn:
        """The sign-in of somebody who has proven who they are."""
        token = self.new_token()
        signed_in = SignedIn.of(
            str(self.new_id()),
            user,
            at=at,
            remember=remember,
            has_second_factor=has_second_factor,
            address=caller.get().address,
            device=device,
        )
        work.sign_ins.add(token_hash(token), signed_in)
        required = role.value in work.settings.at(at).second_factor_required_roles
        return NewSignIn(token=token, signed_in=signed_in, is_restricted=required and not has_second_factor)


@frozen
class RenewSignIn:
    """
    Let the present sign-in go on under a new token, and end all others of that person, half-done ones too.

    Done whenever something changes in how somebody proves who they are, inside the
    unit of work that changes it. Works once for each token: of two at the same
    moment one is refused.
    """

    open_sign_in: OpenSignIn

    def __call__(
        self, work: FactorWork, actor: Actor, *, at: datetime, has_second_factor: bool | None = None
    ) -> NewSignIn:
        """
        The same sign-in, as old as now.

        Parameters:
            has_second_factor: What it has been proven by from now on; as before when left out.

        Raises:
            SessionEnded: It ended in the meantime.
        """
        # Whoever signs in at this moment has done so already and is found, or waits and finds the change.
        work.accounts.lock(actor.user)
        work.challenges.close_all(actor.user, at=at)
        present = find_present(work, actor)
        if present.id not in work.sign_ins.end_all(actor.user, at=at):
            raise SessionEnded
        return self.open_sign_in(
            work,
            actor.user,
            actor.role,
            at=at,
            remember=present.is_remembered,
            has_second_factor=present.has_second_factor if has_second_factor is None else has_second_factor,
            device=present.device,
        )


def find_present(work: SignInWork, actor: Actor) -> SignedIn:
    """
    The sign-in that the request was made with.

    Raises:
        SessionEnded: It was made with something else, or that has gone.
    """
    present = work.sign_ins.get(actor.session, user=actor.user) if actor.session else None
    if present is None:
        raise SessionEnded
    return present


def require_recent(work: SignInWork, actor: Actor, *, at: datetime) -> None:
    """
    Raises:
        SignInTooOld: The proof of who is asking is not fresh enough to change how it is proven.
        SessionEnded: There is no sign-in behind the request.
    """
    must_be_recent(find_present(work, actor).created_at, at=at)


@frozen
class ListSignIns:
    """Where somebody is signed in at present, the latest first."""

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, *, actor: Actor) -> Sequence[SignInEntry]:
        with self.begin() as work:
            return work.sign_ins.of(actor.user, at=self.now())


@frozen
class EndSignIn:
    """End one of one's own sign-ins, on whatever device it is; its next request is refused."""

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, sign_in: str, *, actor: Actor) -> None:
        """
        Raises:
            NoSuchThing: One has no such sign-in.
        """
        with self.begin() as work:
            if work.sign_ins.get(sign_in, user=actor.user) is None:
                raise NoSuchThing("sign-in")
            work.sign_ins.end(sign_in, actor.user, at=self.now())
            work.audit.add(Deed(Action.SIGN_IN_ENDED, UUID(sign_in)))


@frozen
class EndOtherSignIns:
    """End all of one's own sign-ins but the present one."""

    begin: Begin[SignInWork]
    now: Clock

    def __call__(self, *, actor: Actor) -> None:
        with self.begin() as work:
            work.sign_ins.end_all(actor.user, at=self.now(), but=actor.session)
            work.audit.add(Deed(Action.OTHER_SIGN_INS_ENDED, actor.user))
