"""More than two dozen lines that break a promise, each in one way."""

from attrs import evolve

from domain.machines.lines import FAMILY, MICRO, OFFERED, WAITING
from nexus.domain.booking.waitlist import EntryStatus, Line, NoOffer, OfferExpired


def offers(line, *, at, policy, patience=3, hold=1, close_to=0, late=False, count_=1, skip=True, spend=1):
    """What the line does, with a knob for each way to do it wrong."""
    left = line.starts_at - at
    if (left <= policy.last_offer if close_to else left < policy.last_offer) and not late:
        return line
    until = min(at + policy.lifetime, line.starts_at)
    free, held, entries = line.seats.free, line.seats.held, []
    for entry in line.entries:
        too_big = [i for i, ahead in enumerate(entries) if ahead.status is WAITING]
        if any(entries[i].overtaken >= patience for i in too_big) or (too_big and not skip):
            free = 0
        if entry.status is WAITING and entry.seats <= free:
            for i in too_big:
                entries[i] = evolve(entries[i], overtaken=entries[i].overtaken + count_)
            free, held = free - entry.seats * spend, held + entry.seats * hold
            entries.append(entry.offered(at=at, until=until))
        else:
            entries.append(entry)
    return evolve(line, entries=tuple(entries), seats=evolve(line.seats, held=held))


def offering(**wrong):
    class Broken(Line):
        def _after_offers(self, *, at, policy):
            return offers(self, at=at, policy=policy, **wrong)

    return Broken


class AcceptsAtTheVeryEnd(Line):
    def _answered(self, entry, answer, *, at):
        return super()._answered(entry, answer, at=at - MICRO)


class AcceptsLongAfter(Line):
    def _answered(self, entry, answer, *, at):
        offered = self.find(entry)
        if offered.offer_expires_at is None:
            raise NoOffer(entry, self.position(entry))
        return self._without(offered.ended(answer, at=at))


class RefusesTooEarly(Line):
    def _answered(self, entry, answer, *, at):
        return super()._answered(entry, answer, at=at + MICRO)


class AcceptsWithoutAnOffer(Line):
    def _answered(self, entry, answer, *, at):
        offered = self.find(entry)
        if offered.offer_expires_at is not None and at >= offered.offer_expires_at:
            raise OfferExpired(entry, offered.offer_expires_at)
        return self._without(offered.ended(answer, at=at))


class LapsesLate(Line):
    def _after_lapses(self, *, at):
        return super()._after_lapses(at=at - MICRO)


class NeverLapses(Line):
    def _after_lapses(self, *, at):
        return self


class LapsedGoesBackInLine(Line):
    def _after_lapses(self, *, at):
        line = super()._after_lapses(at=at)
        back = [
            evolve(entry, status=WAITING, offer_expires_at=None)
            for entry in line.gone
            if entry.status is EntryStatus.EXPIRED
        ]
        return evolve(line, entries=(*line.entries, *back))


class NeverReleases(Line):
    def _after_release(self, *, at):
        return self


class ReleasesLate(Line):
    def _after_release(self, *, at):
        return super()._after_release(at=at - MICRO)


class ReleasesAgain(Line):
    def _after_release(self, *, at):
        return evolve(super()._after_release(at=at), released_at=None)


class KeepsSeatsForTheImpossible(Line):
    def _after_misfits(self, *, at):
        return self


class LastIsFirst(Line):
    def _after_offers(self, *, at, policy):
        turned = offers(evolve(self, entries=self.entries[::-1]), at=at, policy=policy)
        return evolve(turned, entries=turned.entries[::-1])


class SmallestIsFirst(Line):
    def _after_offers(self, *, at, policy):
        by_size = sorted(self.entries, key=lambda entry: entry.seats)
        done = offers(evolve(self, entries=tuple(by_size)), at=at, policy=policy)
        return evolve(done, entries=tuple(sorted(done.entries, key=lambda entry: entry.number)))


class OffersTwice(Line):
    def _after_offers(self, *, at, policy):
        free = evolve(self.seats, sellable=self.seats.sellable + 1)
        done = offers(evolve(self, seats=free), at=at, policy=policy)
        return evolve(done, seats=evolve(done.seats, sellable=self.seats.sellable))


class OffersPastTheStart(Line):
    def _after_offers(self, *, at, policy):
        done = super()._after_offers(at=at, policy=policy)
        entries = (
            evolve(entry, offer_expires_at=at + policy.lifetime)
            if entry.offered_at == at and entry.status is OFFERED
            else entry
            for entry in done.entries
        )
        return evolve(done, entries=tuple(entries))


class ForgetsToFree(Line):
    def _without(self, ended):
        return evolve(super()._without(ended), seats=self.seats)


class ForgetsToFreeOnDecline(Line):
    def declined(self, entry, *, at):
        return evolve(super().declined(entry, at=at), seats=self.seats)


class FreesWhatWasNeverHeld(Line):
    def left(self, entry, *, at):
        line = super().left(entry, at=at)
        if self.find(entry).status is OFFERED:
            return line
        return evolve(line, seats=evolve(line.seats, held=line.seats.held - 1))


class StaysOpenAtTheStart(Line):
    def settled(self, *, at, policy):
        return super().settled(at=at - MICRO if at == self.starts_at else at, policy=policy)


class JoinsInFront(Line):
    def joined(self, entry, *, at, policy):
        line = super().joined(entry, at=at, policy=policy)
        return evolve(line, entries=(line.entries[-1], *line.entries[:-1]))


class ForgetsTheNumber(Line):
    def joined(self, entry, *, at, policy):
        return evolve(super().joined(entry, at=at, policy=policy), last_number=self.last_number)


class LetsAChildWaitTwice(Line):
    def joined(self, entry, *, at, policy):
        line = evolve(self, entries=tuple(evolve(e, children=(FAMILY,)) for e in self.entries))
        return line.__class__.__base__.joined(line, entry, at=at, policy=policy)


class LetsGroupsWaitInVain(Line):
    def joined(self, entry, *, at, policy):
        roomy = evolve(
            self, seats=evolve(self.seats, sellable=99, booked=self.seats.booked + 99 - self.seats.sellable)
        )
        return evolve(
            super(LetsGroupsWaitInVain, roomy).joined(entry, at=at, policy=policy), seats=self.seats
        )


class KeepsOffersBeyondANewStart(Line):
    def rescheduled(self, *, starts_at, releases_at):
        return evolve(self, starts_at=starts_at, releases_at=releases_at)


class ClosesNobodyWhoHasAnOffer(Line):
    def closed_for(self, child, *, at):
        if any(child in e.children and e.status is OFFERED for e in self.entries):
            return self
        return super().closed_for(child, at=at)


class ConfirmsWithoutTheHeldSeat(Line):
    def confirmed(self):
        return evolve(self, seats=evolve(self.seats, booked=self.seats.booked + 1))


BROKEN = {
    "never keeps seats for a group": offering(patience=99),
    "passes a group over four times": offering(patience=4),
    "loses patience after two": offering(patience=2),
    "does not hold what it offers": offering(hold=0),
    "offers one seat to everybody": offering(spend=0),
    "no offer with exactly an hour left": offering(close_to=1),
    "offers in the last hour": offering(late=True),
    "does not count who was passed over": offering(count_=0),
    "a group blocks the line": offering(skip=False),
} | {each.__name__: each for each in Line.__subclasses__() if each.__name__ != "Broken"}
