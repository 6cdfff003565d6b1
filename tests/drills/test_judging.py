"""The drills' own judgement: what counts as lost, doubled, recovered."""

import pytest

from tests.drills.judging import Answered, Outcome, differing, recoveries, repeated, tally


def done(name, body=b""):
    return Answered(name=name, status=201, body=body)


def test_what_was_acknowledged_and_is_not_there_is_lost():
    found = tally([done("a"), done("b")], {"a": 1})
    assert (found.acknowledged, found.lost, found.doubled) == (2, ("b",), ())


def test_what_was_refused_or_never_answered_is_not_lost_but_must_not_be_there_twice():
    refused = Answered(name="refused", status=409)
    found = tally([refused], {"unanswered": 1, "twice": 2})
    assert (found.acknowledged, found.lost, found.doubled) == (0, (), ("twice",))


def test_an_acknowledged_command_with_two_effects_is_doubled_and_not_lost():
    found = tally([done("a")], {"a": 2})
    assert (found.lost, found.doubled) == ((), ("a",))


def test_a_command_that_was_acknowledged_twice_counts_once():
    assert tally([done("a"), done("a")], {"a": 1}).acknowledged == 1


def test_a_replay_differs_by_one_byte_or_by_its_status():
    first = [done("a", b"1"), done("b", b"1"), done("c", b"1")]
    again = [done("a", b"1"), done("b", b"2"), Answered(name="c", status=200, body=b"1")]
    assert differing(first, again) == ("b", "c")


def test_recovery_is_the_first_answer_to_a_request_that_began_after_the_fault():
    """An answer that was on its way when the fault came says nothing about recovery."""
    on_its_way, later, last = (0.5, 1.1), (1.2, 3.0), (1.3, 2.5)
    assert recoveries([1.0], [*on_its_way, *later, *last]) == pytest.approx((1.5,))


def test_a_fault_after_which_nothing_was_answered_has_no_recovery_time():
    assert recoveries([1.0, 9.0], [2.0, 3.0]) == pytest.approx((2.0,))


def test_repeated_names_only_what_occurs_twice():
    assert repeated(["a", "b", "a", "c", "a"]) == ("a",)


@pytest.mark.parametrize(
    "spoilt",
    [{"lost": 1}, {"doubled": 1}, {"broken": ["a promise"]}, {"skipped": "no room"}],
)
def test_a_drill_holds_only_when_nothing_is_wrong(spoilt):
    assert Outcome(acknowledged=5).holds
    assert not Outcome(**spoilt).holds


def test_median_and_maximum_of_recoveries():
    outcome = Outcome(recoveries=(3.0, 1.0, 2.0))
    assert (outcome.median, outcome.maximum) == (2.0, 3.0)
    assert (Outcome().median, Outcome().maximum) == (None, None)
