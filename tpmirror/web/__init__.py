"""The dashboard: pages rendered on the server from the views, one file per page. Reads only."""
