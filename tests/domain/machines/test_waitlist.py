"""A line keeps its promises whatever happens, and every broken line is caught."""

import pytest
from _pytest.outcomes import Failed
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.machines.broken_lines import BROKEN, offering
from domain.machines.lines import LineMachine
from nexus.domain.kernel.errors import Refusal


def examples(most):
    return settings(
        max_examples=most,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def machine_for(line):
    return type("Machine", (LineMachine,), {"line_class": line})


def test_the_line_keeps_its_promises():
    run_state_machine_as_test(LineMachine, settings=examples(150))


def test_the_knobs_do_no_harm_when_untouched():
    run_state_machine_as_test(machine_for(offering()), settings=examples(30))


@pytest.mark.parametrize("wrong", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_caught(wrong):
    # It stops at the first find. What is tried first depends on which modules are loaded, hence so many.
    with pytest.raises((AssertionError, Failed, Refusal, KeyError, ValueError)):
        run_state_machine_as_test(machine_for(wrong), settings=examples(2000))
