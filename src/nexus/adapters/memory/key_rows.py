"""Rows about API keys."""

from datetime import datetime

from attrs import frozen

from nexus.application.platform.api_key_ports import StoredKey


@frozen
class ApiKeyRow:
    """A row of ``api_keys``."""

    stored: StoredKey
    total_requests: int = 0
    last_used_at: datetime | None = None
    last_used_address: str | None = None
