"""Snapshots of every table and view as files: Parquet, CSV, JSON Lines; again only what changed."""
