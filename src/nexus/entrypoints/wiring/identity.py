"""Signing in, the second factor, passwords and the links that are mailed."""

from functools import cached_property

from nexus.adapters.passwords.factors import new_recovery_code, new_seed
from nexus.adapters.passwords.tokens import new_token
from nexus.application.identity.account_mail import AskForReset, AskForVerification, SendAccountMail
from nexus.application.identity.attempts import Attempts
from nexus.application.identity.change_password import ChangePassword, ChoosePassword, VerifyEmail
from nexus.application.identity.complete_sign_in import CompleteSignIn
from nexus.application.identity.letters import Letters
from nexus.application.identity.links import OpenLink
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
from nexus.application.identity.sign_in import Authenticate, ShowMe, SignIn, SignOut
from nexus.domain.identity.mail import AccountMail
from nexus.entrypoints.wiring.means import Means


class Identity(Means):
    """Who somebody is, and how they prove it."""

    @cached_property
    def _attempts(self) -> Attempts:
        return Attempts(self.limiter)

    @cached_property
    def _open_sign_in(self) -> OpenSignIn:
        return OpenSignIn(self.new_id, new_token)

    @cached_property
    def _renew_sign_in(self) -> RenewSignIn:
        return RenewSignIn(self._open_sign_in)

    @cached_property
    def _check_code(self) -> CheckCode:
        return CheckCode(self.begin, self._vault)

    @cached_property
    def authenticate(self) -> Authenticate:
        return Authenticate(self.read_as_platform, self.now)

    @cached_property
    def sign_in(self) -> SignIn:
        return SignIn(self.begin_as_platform, self.now, self._open_sign_in, self._passwords, self._attempts)

    @cached_property
    def complete_sign_in(self) -> CompleteSignIn:
        check = CheckCode(self.begin_as_platform, self._vault)
        return CompleteSignIn(self.begin_as_platform, self.now, self._open_sign_in, check)

    @cached_property
    def sign_out(self) -> SignOut:
        return SignOut(self.begin, self.now)

    @cached_property
    def show_me(self) -> ShowMe:
        return ShowMe(self.read)

    @cached_property
    def list_sign_ins(self) -> ListSignIns:
        return ListSignIns(self.read, self.now)

    @cached_property
    def end_one_of_my_sign_ins(self) -> EndSignIn:
        return EndSignIn(self.begin, self.now)

    @cached_property
    def end_other_sign_ins(self) -> EndOtherSignIns:
        return EndOtherSignIns(self.begin, self.now)

    # --- the second factor

    @cached_property
    def show_second_factor(self) -> ShowSecondFactor:
        return ShowSecondFactor(self.read, self.now)

    @cached_property
    def begin_second_factor(self) -> BeginSecondFactor:
        return BeginSecondFactor(self.begin, self.now, new_seed, self._vault, self._check_code)

    @cached_property
    def confirm_second_factor(self) -> ConfirmSecondFactor:
        return ConfirmSecondFactor(
            self.now, new_recovery_code, self._vault, self._check_code, self._renew_sign_in
        )

    @cached_property
    def renew_recovery_codes(self) -> RenewRecoveryCodes:
        return RenewRecoveryCodes(self.now, new_recovery_code, self._check_code, self._renew_sign_in)

    @cached_property
    def remove_second_factor(self) -> RemoveSecondFactor:
        return RemoveSecondFactor(self.now, self._check_code, self._renew_sign_in)

    @cached_property
    def reset_second_factor(self) -> ResetSecondFactor:
        return ResetSecondFactor(self.begin, self.now)

    # --- passwords and mailed links

    @cached_property
    def open_link(self) -> OpenLink:
        return OpenLink(self.read_as_platform, self.now, self._attempts)

    @cached_property
    def ask_for_reset(self) -> AskForReset:
        return AskForReset(self.begin_as_platform, self.now, self.new_id, self._attempts)

    @cached_property
    def ask_for_verification(self) -> AskForVerification:
        return AskForVerification(self.begin_as_platform, self.now, self.new_id, self._attempts)

    @cached_property
    def send_account_mail(self) -> SendAccountMail:
        return SendAccountMail(
            self.begin_as_platform, self.now, new_token, self._mailer, Letters(self._public_url)
        )

    @cached_property
    def change_password(self) -> ChangePassword:
        return ChangePassword(
            self.begin_as_platform,
            self.now,
            self.new_id,
            self._passwords,
            self._attempts,
            self._renew_sign_in,
        )

    def _choose_password(self, purpose: AccountMail) -> ChoosePassword:
        return ChoosePassword(
            self.begin_as_platform,
            self.now,
            self.new_id,
            self._passwords,
            self._attempts,
            self.open_link,
            purpose,
        )

    @cached_property
    def reset_password(self) -> ChoosePassword:
        return self._choose_password(AccountMail.RESET_PASSWORD)

    @cached_property
    def accept_invitation(self) -> ChoosePassword:
        return self._choose_password(AccountMail.INVITATION)

    @cached_property
    def verify_email(self) -> VerifyEmail:
        return VerifyEmail(self.begin_as_platform, self.now, self.open_link)
