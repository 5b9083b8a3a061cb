"""Reads and writes of mirrored rows: jobs, presence, quarantine, history, audit, runs, account, alerts, status."""
