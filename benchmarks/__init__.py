"""What a mirror costs, against the least that anybody could pay for the same pages and rows."""
