-- Views that sum costs and do not sum to what the jobs are charged, or as stated to what they state.
SELECT *
FROM (
  SELECT
    (SELECT COALESCE(SUM(cost_usd), 0) FROM {{ source('tpmirror', 'jobs') }}) AS stated,
    (SELECT COALESCE(SUM(cost_usd), 0) FROM {{ source('tpmirror', 'jobs') }} WHERE NOT COALESCE(preview, FALSE)) AS charged,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'daily_costs') }}) AS daily_costs,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'cost_by_model') }}) AS cost_by_model,
    (SELECT COALESCE(SUM(credits), 0) FROM {{ source('tpmirror', 'cost_ledger') }}) AS cost_ledger,
    (SELECT COALESCE(SUM(stated), 0) FROM {{ source('tpmirror', 'cost_ledger') }}) AS ledger_stated,
    (SELECT COALESCE(SUM("PricingCurrencyEffectiveCost"), 0) FROM {{ source('tpmirror', 'focus_costs') }}) AS focus_costs
) AS sums
WHERE charged <> daily_costs OR charged <> cost_by_model OR charged <> cost_ledger OR charged <> focus_costs
  OR stated <> ledger_stated
