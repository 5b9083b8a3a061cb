"""The engine: full sync and poll, from pages to changesets, and the proof that nothing was missed."""
