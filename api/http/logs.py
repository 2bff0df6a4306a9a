"""Structured logs: one JSON object a line, on standard error."""

import json
import logging
from datetime import UTC, datetime

FIELDS = ("request_id", "method", "path", "status", "milliseconds", "job")


class JsonLines(logging.Formatter):
    """Writes a record with what the service attached to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; control characters of a path or a message are escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr() -> None:
    """Send what the service and its server log to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it tells which libraries it looks for
