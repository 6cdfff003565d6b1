"""The how-to shows every key that a profile may have, and a profile that works."""

import re
import tomllib
from pathlib import Path

import pytest

from nexus.adapters.catalogue_files.profiles import (
    KEYS,
    FaultyProfile,
    NoSuchProfile,
    available_profiles,
    load_profile,
    parse_profile,
)
from nexus.application.catalogue.import_report import Fate
from nexus.domain.catalogue.imports import Adjustment, Refusal

PAGE = (Path(__file__).parents[2] / "docs/howto/import-a-catalogue.md").read_text(encoding="utf-8")
SHOWN, JSON_KEYS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_every_profile_of_the_package_loads():
    assert {"chicago", "chicago_scale", "philadelphia"} <= set(available_profiles())
    assert all(load_profile(name).rules.source for name in available_profiles())


def test_the_profile_shown_works_and_names_every_key():
    profile = parse_profile("shown", JSON_KEYS + SHOWN)
    assert profile.rules.fee_steps[-1] == (1000, 4)
    stated = tomllib.loads(JSON_KEYS + SHOWN)
    assert stated.keys() == KEYS[""]
    for table in KEYS.keys() - {"", "join"}:
        assert stated[table].keys() == KEYS[table], table


@pytest.mark.parametrize("slug", [*Refusal, *Adjustment, *Fate])
def test_every_reason_is_documented(slug):
    assert f"`{slug}`" in PAGE


@pytest.mark.parametrize(
    "change",
    [
        ('time_zone = "America/Chicago"', 'time_zone = "America/Springfield"'),
        ('"Sport" = "sports"', '"Sport" = "sport"'),
        ('format = "csv"', 'format = "xls"'),
        ('id = ["id"]', ""),
        ("limit = 500", "limits = 500"),
        (r"'\badults?\b'", "'('"),
        ("[columns]", "[columns"),
    ],
)
def test_a_faulty_profile_is_refused_by_name(change):
    assert change[0] in SHOWN
    with pytest.raises(FaultyProfile):
        parse_profile("faulty", SHOWN.replace(*change))


def test_an_unknown_profile_is_refused_with_the_ones_there_are():
    with pytest.raises(NoSuchProfile) as refused:
        load_profile("atlantis")
    assert "chicago" in refused.value.available
