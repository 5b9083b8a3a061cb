"""``tpmirror run``: scheduler, worker, watchdog, alerts, health and metrics endpoints."""
