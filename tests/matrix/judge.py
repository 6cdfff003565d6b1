"""
Asks every route everything, as everybody, and compares the answers with what is declared.

What is expected follows from the route's policy, its scope and the owners of its
ids; the only thing written down for a single route is what a request must hold to
succeed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
from attrs import define, evolve, field, frozen

from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.owners import Owner
from nexus.entrypoints.http.policies import Policy
from tests.matrix.routes import V1, Id, Route, no_such_id
from tests.matrix.world import HIDDEN, SHARING, Snapshot, World, child_name, child_notes

POLICY_REFUSES = {
    "sign-in-required", "session-ended", "second-factor-required", "not-for-this-role",
    "outside-the-keys-scopes",
}  # fmt: skip

DONE = {200, 201, 202, 204}
FREE = {"old_values", "new_values", "opened_old_values", "opened_new_values"}
"""Members that hold whatever a record held."""

OWN: Mapping[Role, str] = {
    Role.PARENT: "parent A",
    Role.HR_ADMIN: "hr A",
    Role.VENUE_ADMIN: "venue A",
    Role.PLATFORM_ADMIN: "root",
}


@frozen
class Who:
    """Somebody who asks."""

    label: str
    token: str | None
    actor: Actor | None = None


@frozen
class Finding:
    """An answer that nobody may get."""

    route: str
    who: str
    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.route}, as {self.who}, {self.what}: {self.found}"


@frozen
class Wants:
    """What a request to a route must hold to succeed, beyond what its schema says."""

    variants: Mapping[str, str] = field(factory=dict)
    """The state that a thing must be in, by the name of its id."""
    body: Mapping[str, Any] = field(factory=dict)
    query: Mapping[str, Any] = field(factory=dict)
    refused: frozenset[str] = frozenset()
    """With what even the rightful one is refused, where it takes a secret that has tests of its own."""
    opens: bool = False
    """Whether what is known of children is what is asked for, with a reason that is recorded."""


@define
class Judge:
    """Runs the matrix."""

    world: World
    snapshot: Snapshot
    wants: Mapping[str, Wants]
    answers: dict[tuple[str, str], list[Any]] = field(factory=dict)
    """What was answered with 2xx, by route and role: for the lists of fields."""
    asked: int = 0

    def findings(self, routes: Iterable[Route]) -> Iterator[Finding]:
        routes = list(routes)
        scopes = frozenset(route.scope for route in routes if route.scope)
        for route in routes:
            yield from self._outside(route, scopes)
            if route.policy is not Policy.PUBLIC:
                for role, label in OWN.items():
                    if route.policy.admits(role):
                        yield from self._inside(
                            route, Who(label, self.world.token(label), self._actor(label))
                        )
        self.snapshot.restore()

    # Who may not come in

    def _outside(self, route: Route, scopes: frozenset[str]) -> Iterator[Finding]:
        for who, expected in self._visitors(route, scopes):
            answer = self._ask(route, who)
            if expected is None:
                if _slug(answer) in POLICY_REFUSES:
                    yield self._finding(route, who, "own", answer)
            elif (answer.status_code, _slug(answer)) != expected:
                yield self._finding(route, who, "own", answer)
            if expected is None and answer.status_code in DONE:
                self._keep(route, who, answer)
                yield from self._leaks(route, who, answer)
                self.snapshot.freshen()
        if changed := self.snapshot.changed():
            yield Finding(str(route), "somebody", "refused", f"changed {', '.join(changed)}")
        self.snapshot.freshen()

    def _visitors(self, route: Route, scopes: frozenset[str]) -> Iterator[tuple[Who, tuple[int, str] | None]]:
        """Who is refused before anything is looked up, and how; ``None``: not refused by the policy."""
        public = route.policy is Policy.PUBLIC
        yield Who("nobody", None), None if public else (401, "sign-in-required")
        yield Who("an ended sign-in", "ended"), None if public else (401, "session-ended")
        for role, label in OWN.items():
            actor = self._actor(label)
            admitted = public or route.policy.admits(role)
            refused = None if public else (403, "not-for-this-role")
            if not admitted:
                yield Who(label, self.world.token(label), actor), refused
            elif public:
                yield Who(label, self.world.token(label), actor), None
            if not public and not route.restricted:
                half = self._signed_in(evolve(actor, is_restricted=True), f"{label} without second factor")
                yield half, (403, "second-factor-required")
            without = self._key(actor, scopes - {route.scope}, f"key of {label} without scope")
            yield without, (403, "outside-the-keys-scopes") if admitted and not public else refused
            if route.scope and not admitted:
                yield self._key(actor, {route.scope}, f"key of {label} with scope"), refused

    # Who may, and with whose ids

    def _inside(self, route: Route, who: Who) -> Iterator[Finding]:
        for one in route.ids:
            if one.owner in {Owner.USER, Owner.COMPANY, Owner.VENUE}:
                yield from self._strange(route, who, one)
        with_scope = [self._key(who.actor, {route.scope}, f"key of {who.label}")] if route.scope else []
        for asking in (who, *with_scope):
            self.snapshot.freshen()
            answer = self._ask(route, asking)
            refused = self._wants(route).refused
            if (_slug(answer) not in refused) if refused else answer.status_code not in DONE:
                yield self._finding(route, asking, "own", answer)
            elif answer.status_code in DONE:
                self._keep(route, asking, answer)
                yield from self._leaks(route, asking, answer)
            if route.reads and (changed := self.snapshot.changed()):
                yield Finding(str(route), asking.label, "own", f"changed {', '.join(changed)} by reading")
            self.snapshot.freshen()

    def _strange(self, route: Route, who: Who, one: Id) -> Iterator[Finding]:
        """Another's id is answered as one that does not exist, and nothing happens."""
        asking = [who]
        if route.scope:
            asking.append(self._key(who.actor, {route.scope}, f"key of {who.label}"))
        for each in asking:
            unknown = self._ask(route, each, {one.name: no_such_id()})
            if unknown.status_code != 404 and not (one.where == "query" and _is_empty_page(unknown)):
                yield self._finding(route, each, f"an unknown {one.name}", unknown)
            for whose, value in self._others(who, one, self._wants(route)):
                answer = self._ask(route, each, {one.name: value})
                if _anonymous(answer, value) != _anonymous(unknown, no_such_id()):
                    yield self._finding(route, each, f"{one.name} of {whose}", answer)
                if changed := self.snapshot.changed():
                    yield Finding(
                        str(route), each.label, f"{one.name} of {whose}", f"changed {', '.join(changed)}"
                    )
                    self.snapshot.restore()
                elif answer.status_code < 300:
                    self.snapshot.restore()

    def strangers(self, route: Route, one: Id) -> Iterator[tuple[str, Any]]:
        """Others whose things are tried, by the first role that gets in."""
        role = next(role for role in OWN if route.policy.admits(role))
        yield from self._others(Who(OWN[role], None, self._actor(OWN[role])), one, self._wants(route))

    def _others(self, who: Who, one: Id, wants: Wants) -> Iterator[tuple[str, Any]]:
        of = self._of(one.name, wants)
        if one.owner is Owner.USER:
            mine, tenant = who.label, who.label[-1]
            others = [label for label in of if label != mine and label in self.world.people]
            near = [label for label in others if label[-1] == tenant][:1]
            far = [label for label in others if label[-1] != tenant][:1]
            whose = near + far
        elif one.owner is Owner.COMPANY:
            whose = [label for label in of if label in {"parent B", "venue A", "root"}]
        else:
            whose = ["B"]
        yield from ((label, of[label]) for label in whose)

    # Asking

    def _ask(self, route: Route, who: Who, instead: Mapping[str, Any] | None = None) -> httpx.Response:
        wants = self._wants(route)
        values = {one.name: self._own(route, who, one, wants) for one in route.ids if one.needed}
        values |= instead or {}
        path, query, body = route.path, dict(wants.query), None
        if route.body is not None:
            body = {**route.body, **{k: v(self.world) if callable(v) else v for k, v in wants.body.items()}}
        for one in route.ids:
            value = values.get(one.name)
            if value is None:
                continue
            single = value[0] if isinstance(value, list) else value
            if one.where == "path":
                path = path.replace(f"{{{one.name}}}", single)
            elif one.where == "query":
                query[one.name] = single
            elif body is not None:
                body[one.name] = [single] if one.many else single
        self.asked += 1
        self.world.front.client.cookies.clear()
        return self.world.front.client.request(
            route.method,
            path,
            params=query,
            headers={} if who.token is None else {"authorization": f"Bearer {who.token}"},
            **({} if body is None else {"json": body}),
        )

    def _own(self, route: Route, who: Who, one: Id, wants: Wants) -> Any:
        of = self._of(one.name, wants)
        if who.actor is None or not route.policy.admits(who.actor.role):
            return next(iter(of.values()))
        label = OWN[who.actor.role]
        chosen = {Owner.USER: label, Owner.COMPANY: "other parent A"}.get(one.owner, "A")
        return of[chosen if chosen in of else "parent A"]

    def _of(self, name: str, wants: Wants) -> Mapping[str, Any]:
        variant = wants.variants.get(name)
        key = f"{name}:{variant}" if variant else name
        if key not in self.world.ids:
            raise AssertionError(f"the world has nothing for {{{key}}}: build one in tests/matrix/world.py")
        return self.world.ids[key]

    def _wants(self, route: Route) -> Wants:
        return self.wants.get(str(route), Wants())

    def _actor(self, label: str) -> Actor:
        return self.world.people[label].actor

    def _key(self, actor: Actor | None, scopes: Iterable[str | None], label: str) -> Who:
        assert actor is not None
        key = self.world.people["root"].actor.user
        return self._signed_in(evolve(actor, key=key, scopes=frozenset(filter(None, scopes))), label)

    def _signed_in(self, actor: Actor, label: str) -> Who:
        token = label.replace(" ", "-")
        self.world.front.people.signed_in[token] = actor
        return Who(label, token, actor)

    # Judging

    def _keep(self, route: Route, who: Who, answer: httpx.Response) -> None:
        role = str(who.actor.role) if who.actor else "nobody"
        if route.path.startswith(V1) and answer.content:
            self.answers.setdefault((str(route), role), []).append(answer.json())

    def _leaks(self, route: Route, who: Who, answer: httpx.Response) -> Iterator[Finding]:
        """What is said to somebody of children and families who may not hear it."""
        if who.actor is not None and not self._wants(route).opens:
            for planted in self._hidden_from(route, who.actor):
                if planted in answer.text:
                    yield Finding(str(route), who.label, "own", f"says {planted}")

    def _hidden_from(self, route: Route, actor: Actor) -> Iterator[str]:
        """All that is planted, but for what this role may see on routes of this policy."""
        of_a_family = route.policy in {Policy.FAMILY, Policy.SIGNED_IN}
        for label, family in self.world.families.items():
            is_own = of_a_family and family.parent == actor.user
            for number, child in enumerate(family.children):
                comes = route.policy is Policy.VENUE and number == 0 and label.endswith("A")
                if not (is_own or comes):
                    # The log names by its id what was done to a child; nothing else of it.
                    yield from [] if route.policy is Policy.ADMIN else [str(child)]
                    yield child_name(label, number)
                if not (is_own or (comes and (label, number) == SHARING)):
                    yield child_notes(label, number)
            if of_a_family and not is_own:
                yield str(family.parent)
        if route.policy is Policy.VENUE:
            yield HIDDEN
        if route.policy is Policy.HR:
            yield from (self.world.ids["activity_id"][name] for name in ("A", "B"))

    def unlisted(self, allowed: set[str]) -> Iterator[Finding]:
        """What was answered beyond the list."""
        for line in sorted(set(self.listing()) - allowed):
            yield Finding(line.partition(" | ")[0], "anybody", "own", f"not in the list: {line}")

    def listing(self) -> list[str]:
        """Every member of every answer, its kinds, and the roles that get it."""
        kinds: dict[tuple[str, str, str], set[str]] = {}
        for (route, role), answers in self.answers.items():
            for answer in answers:
                for path, kind in members(answer):
                    kinds.setdefault((route, path, role), set()).add(kind)
        roles: dict[tuple[str, str, str], list[str]] = {}
        for (route, path, role), found in sorted(kinds.items()):
            roles.setdefault((route, path, ", ".join(sorted(found))), []).append(role)
        return [f"{route} | {path} | {kind} | {', '.join(of)}" for (route, path, kind), of in roles.items()]

    def _finding(self, route: Route, who: Who, what: str, answer: httpx.Response) -> Finding:
        return Finding(str(route), who.label, what, f"{answer.status_code} {answer.text[:300]}")


def _slug(answer: httpx.Response) -> str:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return str(answer.json()["type"]).rpartition("/")[2]
    return ""


def _anonymous(answer: httpx.Response, value: Any) -> tuple[Any, ...]:
    """What an answer says, without the id that was asked for and the request's own."""
    text = answer.text
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        said = answer.json()
        said.pop("request_id", None)
        text = json.dumps(said, sort_keys=True)
    single = value[0] if isinstance(value, list) else value
    passing = {"x-request-id", "date"}
    headers = {k: v for k, v in answer.headers.items() if k not in passing and "ratelimit" not in k}
    return answer.status_code, text.replace(single, "<id>"), sorted(headers.items())


def _is_empty_page(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json().get("items") == []


_KINDS = {str: "text", bool: "truth", int: "number", float: "number", type(None): "null"}


def members(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The paths of all members of an answer, each with its kind; what is in a list counts once."""
    if isinstance(value, dict) and path.rpartition(".")[2] in FREE:
        yield path, "record"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from members(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield path, "list"
        for inner in value:
            yield from members(inner, f"{path}[]")
    else:
        yield path, _KINDS[type(value)]
