"""
Logs: JSON lines in production, readable lines in development, and no personal data in either.

Of an error they tell its kind and the places it came through, never its message or
the variables there. Of what libraries write, which may put the like of that into
further lines, they keep the first.
"""

import logging
import logging.config
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from structlog.types import Processor

from nexus.application.kernel.mishap import kind, trace
from nexus.entrypoints.settings import SettingError, Settings

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _told(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An error as its kind and its places."""
    stated = line.pop("exc_info", None)
    line.pop("stack_info", None)
    error = stated[1] if isinstance(stated, tuple) else stated
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        line["error"], line["trace"] = kind(error), trace(error)
    return line


def _first_line(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _last(settings: Settings) -> tuple[Processor, ...]:
    if settings.is_development:
        return _told, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    return _told, structlog.processors.JSONRenderer()


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
    sys.excepthook = lambda _, error, __: _ended(error)
    threading.excepthook = lambda ended: _ended(ended.exc_value)


def _ended(error: BaseException | None) -> None:
    """Instead of what Python would write, which is the error's message and more."""
    if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        structlog.get_logger("nexus").error("ended by an error", exc_info=error)


def formatter(settings: Settings) -> structlog.stdlib.ProcessorFormatter:
    """Writes what libraries log the way we log."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, _first_line, structlog.stdlib.add_logger_name],
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
