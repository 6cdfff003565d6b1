"""Codes that families read aloud."""

import re
from collections import Counter

from nexus.adapters.system.chance import UNAMBIGUOUS, new_code


def test_a_code_has_eight_letters_that_cannot_be_mistaken_for_each_other():
    codes = [new_code() for _ in range(2_000)]
    assert all(re.fullmatch(rf"[{UNAMBIGUOUS}]{{4}}-[{UNAMBIGUOUS}]{{4}}", code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_each_letter_is_as_likely_as_the_others_at_each_place():
    codes = [new_code().replace("-", "") for _ in range(6_000)]
    for place in range(8):
        counted = Counter(code[place] for code in codes)
        # 200 of each are expected; 100 is seven standard deviations away.
        assert set(counted) == set(UNAMBIGUOUS)
        assert min(counted.values()) > 100
        assert max(counted.values()) < 300
