-- Views that sum costs and do not sum to what the jobs cost: previews are free by day, and stated everywhere else.
SELECT *
FROM (
  SELECT
    (SELECT COALESCE(SUM(cost_usd), 0) FROM {{ source('tpmirror', 'jobs') }}) AS stated,
    (SELECT COALESCE(SUM(cost_usd), 0) FROM {{ source('tpmirror', 'jobs') }} WHERE NOT COALESCE(preview, FALSE)) AS paid,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'daily_costs') }}) AS daily_costs,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'cost_by_model') }}) AS cost_by_model,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'cost_ledger') }}) AS cost_ledger,
    (SELECT COALESCE(SUM("BilledCost"), 0) FROM {{ source('tpmirror', 'focus_costs') }}) AS focus_costs
) AS sums
WHERE paid <> daily_costs OR stated <> cost_by_model OR stated <> cost_ledger OR stated <> focus_costs
