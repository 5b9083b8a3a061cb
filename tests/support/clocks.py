"""Two clocks for a run: the API's, which is right, and this machine's, which may be wrong."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

from tests.support.simulation.machine import TELL_THE_TIME
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator


@contextmanager
def clocks(simulator: Simulator, *, later: float = 0, ahead: float = 0) -> Iterator[None]:
    """So many seconds later than it is, which the API's clock shows; this machine's is so many ahead of that."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=later + ahead)

    def respond(request: Request) -> Response:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=later), usegmt=True)
        answer = simulator.answer(request)
        return replace(answer, headers={**answer.headers, "Date": date})

    with ExitStack() as patches:
        patches.enter_context(patch.object(simulator, "respond", respond))
        for module in TELL_THE_TIME:
            patches.enter_context(patch.object(module, "datetime", Shifted))
        yield
