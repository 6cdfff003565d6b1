"""What stands of a history of consent."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.compliance.consent import ConsentMethod, ConsentRecord, Purpose, standing

DECISIONS = st.lists(st.tuples(st.sampled_from(Purpose), st.booleans()), max_size=8)


def history(decisions):
    return [
        ConsentRecord(
            id=UUID(int=number),
            child=UUID(int=1),
            parent=UUID(int=2),
            purpose=purpose,
            given=given_,
            text_version="1",
            method=ConsentMethod.CHECKBOX,
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, (purpose, given_) in enumerate(decisions)
    ]


@given(DECISIONS)
def test_nothing_stands_unless_data_may_be_kept(decisions):
    live = standing(history(decisions))
    assert not live or Purpose.DATA_COLLECTION in live


@given(DECISIONS, st.sampled_from(Purpose))
def test_a_withdrawal_counts_at_once_and_giving_it_twice_changes_nothing(decisions, purpose):
    assert purpose not in standing(history([*decisions, (purpose, False)]))
    given_once = [*decisions, (purpose, True)]
    assert standing(history(given_once)) == standing(history([*given_once, (purpose, True)]))


@given(DECISIONS)
def test_what_was_given_before_a_full_withdrawal_is_not_revived(decisions):
    again = [*decisions, (Purpose.DATA_COLLECTION, False), (Purpose.DATA_COLLECTION, True)]
    assert standing(history(again)) == {Purpose.DATA_COLLECTION}


@given(DECISIONS)
def test_only_a_decision_about_a_purpose_changes_it_while_data_may_be_kept(decisions):
    kept = [(Purpose.DATA_COLLECTION, True), *(each for each in decisions if each[0] != "data_collection")]
    live = standing(history(kept))
    last = dict(kept)
    assert live == {purpose for purpose, given_ in last.items() if given_}
