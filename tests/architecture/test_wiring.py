"""Every use case is made in one place, and the product has all of them."""

import importlib
import inspect
import pkgutil
from functools import cached_property

import pytest

from nexus.entrypoints import wiring
from nexus.entrypoints.wiring import Nexus
from nexus.entrypoints.wiring.booking import Booking
from nexus.entrypoints.wiring.means import Means


def contexts():
    modules = (
        importlib.import_module(f"{wiring.__name__}.{module.name}")
        for module in pkgutil.iter_modules(wiring.__path__)
    )
    return {
        one
        for module in modules
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Means)
    }


def made_twice(product):
    names = [
        name
        for context in product.__mro__
        for name, value in vars(context).items()
        if isinstance(value, cached_property)
    ]
    return {name for name in names if names.count(name) > 1}


def test_the_product_is_made_of_every_context():
    """A context that nobody has put into the product would be a page that no table of contents names."""
    assert len(contexts()) > 5
    assert contexts() == set(Nexus.__mro__) - {object}


def test_no_use_case_hides_another():
    """Contexts share one namespace: the second of two names would never be reached, and nothing would say so."""
    assert made_twice(Nexus) == set()


def test_a_hidden_use_case_is_caught():
    class Planted(Means):
        @cached_property
        def book(self):
            return None

    assert made_twice(type("Product", (Planted, Booking), {})) == {"book"}


@pytest.mark.parametrize(
    "name", ["sign_in", "add_child", "approve_venue", "book", "show_credits", "handle_event"]
)
def test_use_cases_of_every_context_are_told_by_name(name):
    nexus = Nexus(None, now=None, secret_key=bytes(32))
    assert nexus.use_cases()[name] is getattr(nexus, name)
