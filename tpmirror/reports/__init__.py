"""Named reports over the SQL views, a module for each."""
