"""An error is told without what it says."""

import pytest

from nexus.application.kernel.mishap import kind, trace

CANARY = "ada@acme.example"


class Coded(Exception):
    sqlstate = "23505"

    class diag:  # noqa: N801 - as a driver calls it
        constraint_name = "users_email_key"
        message_detail = f"Key (email)=({CANARY}) already exists."


class Impersonal(Exception):
    is_impersonal = True


def raised(make):
    with pytest.raises(Exception) as caught:
        make()
    return caught.value


def test_a_databases_error_is_its_code_and_its_constraint():
    assert kind(Coded(CANARY)) == f"{__name__}.Coded 23505 users_email_key"
    assert kind(ValueError(CANARY)) == "ValueError"
    assert kind(Impersonal("recipient 451")).endswith(".Impersonal recipient 451")


def test_a_trace_leads_to_the_place_and_names_its_causes():
    def fail():
        try:
            {}[CANARY]
        except KeyError as error:
            error.add_note(CANARY)
            raise ExceptionGroup(CANARY, [ValueError(CANARY), Coded(CANARY)]) from error

    told = trace(raised(fail))
    assert CANARY not in told
    lines = told.split("\n")
    assert lines[0] == "KeyError"
    assert lines[2] == "which led to"
    assert lines[3] == "ExceptionGroup"
    assert lines[-2:] == ["holding", f"{__name__}.Coded 23505 users_email_key"]
    assert any(
        line.endswith("in test_a_trace_leads_to_the_place_and_names_its_causes.<locals>.fail")
        for line in lines
    )


def test_causes_that_go_in_circles_end():
    one, other = ValueError(CANARY), ValueError(CANARY)
    one.__cause__, other.__cause__ = other, one
    assert trace(one).count("which led to") == 10


def test_a_deep_recursion_is_cut():
    def fall(n):
        return fall(n + 1)

    assert len(trace(raised(lambda: fall(0))).split("\n")) == 61
