"""One hash for everybody who shares a password, as people of a made-up world do."""

from attrs import define, field

from nexus.application.identity.ports import Passwords


@define
class HashedOnce:
    """Hashes each password once; never for real people, whose hashes would show who shares one."""

    passwords: Passwords
    _hashes: dict[str, str] = field(factory=dict, init=False, repr=False)

    @property
    def common(self) -> frozenset[str]:
        return self.passwords.common

    def hash(self, password: str) -> str:
        if password not in self._hashes:
            self._hashes[password] = self.passwords.hash(password)
        return self._hashes[password]

    def verify(self, password: str, hashed: str | None) -> bool:
        return self.passwords.verify(password, hashed)

    def needs_rehash(self, hashed: str) -> bool:
        return self.passwords.needs_rehash(hashed)
