"""What counts as growing, and what does not."""

import pytest
from benchmarks.memory import Occupied, Sample


def occupied(*megabytes):
    """A process that was looked at once a minute."""
    return Occupied("web", [Sample(60.0 * number, each) for number, each in enumerate(megabytes)])


@pytest.mark.parametrize(
    ("megabytes", "growth"),
    [
        ([100.0 + number for number in range(60)], 60),
        ([120.0 - 5 / (1 + number) for number in range(60)], 0),
        ([120.0] * 60, 0),
    ],
    ids=["a leak", "warming up", "still"],
)
def test_growth_is_that_of_the_second_half(megabytes, growth):
    assert occupied(*megabytes).growth == pytest.approx(growth, abs=0.5)


@pytest.mark.parametrize("odd", [{45: 149.0}, dict.fromkeys(range(50, 60), 120.4)])
def test_neither_a_peak_nor_a_step_is_growth(odd):
    assert occupied(*(odd.get(number, 120.0) for number in range(60))).is_met


def test_a_leak_of_a_few_megabytes_an_hour_is_noticed():
    assert not occupied(*(100 + number / 20 for number in range(60))).is_met


def test_a_process_that_was_too_large_once_is_too_large():
    assert not occupied(*(150.0 if number == 7 else 120.0 for number in range(60))).is_met
