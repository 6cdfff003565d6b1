"""The demo world: invented companies, families and venues, with a past that leads up to now."""

from nexus.entrypoints.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD, DemoAccount
from nexus.entrypoints.demo.load import DemoSummary, NotEmpty, load_demo

__all__ = ["DEMO_ACCOUNTS", "DEMO_PASSWORD", "DemoAccount", "DemoSummary", "NotEmpty", "load_demo"]
