"""Money is a whole number of minor units in one currency; it is never a float."""

from attrs import field, frozen, validators


@frozen
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency."""

    minor: int = field(validator=validators.instance_of(int))
    currency: str = field(default="USD", validator=validators.matches_re(r"[A-Z]{3}"))

    def times(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)
