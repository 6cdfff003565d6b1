"""Plants a bug: the same function with one piece of its source replaced, for as long as a block lasts."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any

from attrs import frozen


@frozen
class Bug:
    """A function of the product, what to replace in its source, and by what."""

    name: str
    where: Any
    old: str
    new: str

    @property
    def function(self) -> FunctionType:
        found = self.where
        found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
        assert isinstance(found, FunctionType)
        return found

    def code(self) -> CodeType:
        """The function's code with the bug in it."""
        function = self.function
        source = dedent(inspect.getsource(function))
        source = source[source.index(f"def {function.__name__}") :]
        if source.count(self.old) != 1:
            raise LookupError(f"{self.name}: {source.count(self.old)} times {self.old!r}")
        module = compile(source.replace(self.old, self.new), function.__code__.co_filename, "exec")
        [made] = [
            each
            for each in module.co_consts
            if isinstance(each, CodeType) and each.co_name == function.__name__
        ]
        assert made.co_freevars == function.__code__.co_freevars
        return made

    @contextmanager
    def planted(self) -> Iterator[None]:
        function, mutant = self.function, self.code()
        sound = function.__code__
        function.__code__ = mutant
        try:
            yield
        finally:
            function.__code__ = sound


def forget_to(name: str, where: Callable[..., Any], statement: str) -> Bug:
    """A statement that was left out."""
    return Bug(name, where, statement, "pass")
