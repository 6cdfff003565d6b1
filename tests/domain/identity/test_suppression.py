"""Nothing that HR sees tells on fewer than five families, nor does any difference of it."""

from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from nexus.domain.identity.suppression import FEWEST, Shown, Use, shown

PARTS = st.dictionaries(
    st.sampled_from("abcde"),
    st.frozensets(st.integers(1, 9), max_size=9).map(lambda families: Use(2 * len(families), families)),
    max_size=5,
)


def families(uses):
    return set(chain.from_iterable(use.families for use in uses))


@settings(max_examples=1000)
@given(PARTS)
def test_no_figure_and_no_difference_tells_on_fewer_than_five_families(parts):
    view = shown(parts)
    seen = [key for key, figure in view.parts.items() if figure is not None]
    for key in seen:
        assert len(parts[key].families) >= FEWEST
        assert view.parts[key] == parts[key].figure
    if view.total is None:
        return
    assert view.total == sum(use.figure for use in parts.values())
    for several in chain.from_iterable(combinations(seen, size) for size in range(len(seen) + 1)):
        rest = families(use for key, use in parts.items() if key not in several)
        assert not 0 < len(rest) < FEWEST
    assert len(families(parts.values())) >= FEWEST


@given(PARTS)
def test_what_tells_on_nobody_is_shown(parts):
    if all(len(use.families) >= FEWEST or not use.families for use in parts.values()):
        seen = {key: use.figure for key, use in parts.items() if use.families}
        assert {key: figure for key, figure in shown(parts).parts.items() if figure is not None} == seen


@given(st.sampled_from("abc"), st.frozensets(st.integers(1, 9), max_size=FEWEST - 1))
def test_which_part_the_only_few_families_use_cannot_be_seen(which, few):
    nobody = dict.fromkeys("abc", Use())
    assert shown(nobody | {which: Use(len(few), few)}) == shown(nobody) == Shown(None, dict.fromkeys("abc"))


def test_a_small_part_takes_the_next_smallest_with_it():
    crowd = frozenset(range(20))
    parts = {"arts": Use(40, crowd), "music": Use(9, frozenset(range(6))), "stem": Use(1, frozenset({1}))}
    assert shown(parts) == Shown(50, {"arts": 40, "music": None, "stem": None})
    assert shown({"arts": Use(40, crowd), "stem": Use(1, frozenset({1}))}) == Shown(
        41, {"arts": None, "stem": None}
    )
    assert shown({"stem": Use(3, frozenset({1, 2})), "arts": Use()}) == Shown(
        None, {"stem": None, "arts": None}
    )
    assert shown({"stem": Use(), "arts": Use(40, crowd)}) == Shown(40, {"stem": None, "arts": 40})
