"""Logs: JSON lines in production, readable lines in development; never a value of a local variable."""

import logging
import logging.config
import sys
from typing import Any, Final

import structlog
from structlog.types import Processor

from nexus.entrypoints.settings import SettingError, Settings

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _last(settings: Settings) -> tuple[Processor, ...]:
    if settings.is_development:
        return (
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        )
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())


def configure(settings: Settings) -> None:
    """
    Send everything that this process logs to its standard output, one line each.

    Raises:
        SettingError: There is no such level.
    """
    level = _level(settings)
    structlog.configure(
        processors=[*_SHARED, *_last(settings)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(of_libraries(settings))


def formatter(settings: Settings) -> structlog.stdlib.ProcessorFormatter:
    """Writes what libraries log the way we log."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(settings)],
    )


def of_libraries(settings: Settings) -> dict[str, Any]:
    """The configuration of ``logging``, through which libraries log."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": "nexus.entrypoints.logs.formatter", "settings": settings}},
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "ours"}
        },
        "root": {"level": max(_level(settings), logging.INFO), "handlers": ["stdout"]},
        "loggers": {
            # Which message went to which thread is nobody's business but a debugger's.
            "dramatiq": {"level": "WARNING"},
        },
    }


def _level(settings: Settings) -> int:
    try:
        return LEVELS[settings.log_level.lower()]
    except KeyError:
        raise SettingError("NEXUS_LOG_LEVEL must be debug, info, warning or error") from None
