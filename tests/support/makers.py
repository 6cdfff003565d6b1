"""Those who make API keys, and something that keys may read."""

from attrs import define, field

from nexus.application.platform.scopes import SCOPES
from nexus.domain.identity.people import Role
from tests.support.office import Office


@define
class Makers:
    """Somebody of each role who may make keys."""

    office: Office
    company: str
    tokens: dict[Role, str] = field(factory=dict)

    def make(self, role: Role, scopes=None, **more):
        """A new key, with all scopes of the role if none are given."""
        stated = {"name": "Key", "scopes": sorted(SCOPES[role]) if scopes is None else scopes, **more}
        return self.office.made(self.tokens[role], "/me/api-keys", stated)


def employees(office: Office, key: str, **headers):
    return office.get(key, "/hr/employees", **headers)
