"""The process of the service: schedule, HTTP server, signals, and a main loop that only watches.

Signals are blocked in every thread, and the main loop takes them one by one with ``sigtimedwait``: a handler could
interrupt a transaction between any two bytecodes.
"""

import os
import signal
import time
from collections.abc import Callable, Container
from functools import partial
from typing import Any, Final

from tpmirror import __version__
from tpmirror.config import Settings, read_key, read_owners_key
from tpmirror.db.engine import connected, display
from tpmirror.errors import UsageError
from tpmirror.log import logger
from tpmirror.service import probes
from tpmirror.service.alerting import Alerter
from tpmirror.service.delivery import EVERY, Delivery
from tpmirror.service.exporter import Exporter
from tpmirror.service.metrics import Metrics, Mirror, route
from tpmirror.service.notifier import Notifier
from tpmirror.service.scheduler import Schedule
from tpmirror.service.systemd import notify
from tpmirror.service.watchdog import Watchdog
from tpmirror.service.webhooks import Webhooks
from tpmirror.service.worker import Worker
from tpmirror.signals import SIGNALS, hold
from tpmirror.tensorpix import tls
from tpmirror.web.app import create_app
from tpmirror.web.server import Server

PULSE: Final = 1.0
"""Seconds between two checks of the main loop."""
CHECK: Final = 15.0
"""Seconds between two checks of the mirror."""
ALERTS: Final = 60.0
"""Seconds between two checks for alerts to send."""
DAY: Final = 86_400.0
GRACE: Final = 9.0
"""Seconds that a run under way gets to end after a signal."""
ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
"""The signals that end the service; SIGHUP, which is held too, makes it read the key file again."""
STUCK: Final = 1200.0
"""Seconds without a request after which a run counts as hung: longer than any pause that the API may ask for."""

log: Final = logger(__name__)


class Service:
    """One process of ``tpmirror run``."""

    def __init__(self, settings: Settings, engine: Any, ending: Container[int] = ENDING) -> None:
        self._settings = settings
        self._ending = ending
        self.metrics = Metrics()
        self.worker = Worker(settings, engine, self.metrics)
        self.watch = Watchdog(settings, self.worker.status, lambda: self.worker.skew)
        self._webhooks = Webhooks(settings) if settings.webhook_urls else None
        self.schedule = Schedule(self.metrics.on_event, len(settings.webhook_urls or ()))
        self._alerter = (
            Alerter(settings, engine, self.worker.status, Notifier(settings.alert_urls))
            if settings.alert_urls
            else None
        )
        self._exporter = Exporter(settings, engine, self.worker.status, self.metrics) if settings.export_url else None
        self._delivery = Delivery(engine, self._webhooks, self.metrics.on_delivery) if self._webhooks else None
        self._pulse = time.monotonic()

    def plan(self) -> None:
        """Schedule runs, checks of the mirror, alerts, and the daily line with the history's head."""
        schedule = self.schedule
        schedule.add("runs", self._tick, self.worker.every, "runs")
        schedule.add("watch", self.watch.check, CHECK)
        if self._alerter is not None:
            schedule.add("alerts", self._alerter.send_due, ALERTS, "alerts")
        if self._webhooks is not None and self._delivery is not None:
            for sink in self._webhooks.sinks:
                schedule.add(f"sink {sink}", partial(self._delivery.turn, sink), EVERY, "sinks")
        if self._exporter is not None:
            schedule.add("exports", self._exporter.tick, self._exporter.every, "exports")
        schedule.add("head", self.worker.head, DAY)

    def turn(self) -> int | None:
        """Wait up to ``PULSE`` seconds for a signal: the exit code of the process, or None to go on."""
        received = signal.sigtimedwait(SIGNALS, PULSE)
        if received is None:
            return self._look()
        if received.si_signo not in self._ending:
            self._reread()
            return None
        log.info("stopping", signal=signal.Signals(received.si_signo).name)
        return self._stop()

    @property
    def is_alive(self) -> bool:
        """Whether the main loop turns, the scheduler's thread lives, and no run hangs."""
        return time.monotonic() - self._pulse < 10 * PULSE and self.schedule.is_alive and not self._is_stuck()

    def _look(self) -> int | None:
        self._pulse = time.monotonic()
        if not self.schedule.is_alive or self._is_stuck():
            what = "a run hangs" if self.schedule.is_alive else "the scheduler's thread died"
            log.critical("giving up, so that the supervisor starts a new process", reason=what)
            return 1
        notify("WATCHDOG=1")
        jump = self.watch.jumped()
        if jump is not None:
            log.warning("the clock jumped", seconds=round(jump, 1))
            self.schedule.run_all_now()
        return None

    def _is_stuck(self) -> bool:
        return (
            self.worker.busy
            and time.monotonic() - self.worker.last_activity > STUCK + 2 * self._settings.request_timeout
        )

    def _tick(self) -> None:
        """Do the run that is due, and check the mirror right after it instead of at the next interval."""
        before = self.worker.runs
        self.worker.tick()
        if self.worker.runs != before:
            self.schedule.run_in("watch", 0)

    def _reread(self) -> None:
        """SIGHUP: check the key file and try the key at once, instead of with the next run that is due."""
        try:
            read_key(self._settings)
        except UsageError as error:
            log.error("the key cannot be used", error=str(error))  # noqa: TRY400 - one line, no traceback
            return
        log.info("the key was read again; a full sync tries it now")
        self.worker.forced = True
        self.schedule.run_in("runs", 0)

    def _stop(self) -> int:
        """End the run under way; a second signal ends the process without waiting for it."""
        notify("STOPPING=1")
        self.worker.stop()
        self.schedule.stop()
        if self._delivery is not None:
            self._delivery.stop()
        until = time.monotonic() + GRACE
        while self.worker.busy:
            if time.monotonic() > until:
                log.error("the run under way did not end in time; the next one closes it as abandoned")
                return 1
            if signal.sigtimedwait(SIGNALS[:2], 0.05) is not None:
                log.warning("stopped at once by a second signal")
                return 1
        while self._delivery is not None and self._delivery.busy and time.monotonic() < until:
            time.sleep(0.05)  # what is cut off here is sent again, by the next process
        if self._webhooks is not None:
            self._webhooks.close()
        return 0


def run(settings: Settings, *, ending: Container[int] = ENDING, on_start: Callable[[str], object] | None = None) -> int:
    """Run until one of the signals ``ending`` arrives; the exit code. Raises UsageError for settings that cannot work.

    ``on_start`` is called with the dashboard's URL once it is served. Signals are still blocked when this returns.
    """
    read_key(settings), read_owners_key(settings)
    if settings.ca_file is not None:
        tls.trust(settings.ca_file)
    hold()
    with connected(settings.database) as engine:
        service = Service(settings, engine, ending)
        server = _server(settings, service)
        url = server.start() + (settings.http_prefix or "")
        service.plan()
        service.schedule.start()
        log.info("started", version=__version__, pid=os.getpid(), mirror=display(engine), url=url)
        notify("READY=1")
        if on_start is not None:
            on_start(url)
        code = None
        while code is None:
            code = service.turn()
        server.stop()
        log.info("stopped", code=code)
    return code


def _server(settings: Settings, service: Service) -> Server:
    """The HTTP server of the dashboard, the probes and the metrics."""
    worker, watch = service.worker, service.watch
    mirror = Mirror(watch, worker.jobs_by_status, lambda: bool(worker.leading))
    routes = [*probes.routes(watch, lambda: service.is_alive), route(service.metrics, mirror)]
    return Server(create_app(settings, routes), settings.http_addr)
