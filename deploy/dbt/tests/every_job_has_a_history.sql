-- Jobs without a first entry, or whose last entry is another status than theirs.
SELECT j.id, j.status, h.to_status
FROM {{ source('tpmirror', 'jobs') }} AS j
LEFT JOIN {{ source('tpmirror', 'job_status_history') }} AS h ON h.job_id = j.id AND h.seq = (
  SELECT MAX(last.seq) FROM {{ source('tpmirror', 'job_status_history') }} AS last WHERE last.job_id = j.id
)
WHERE h.to_status IS DISTINCT FROM j.status
