-- A row of cost_ledger in the columns of the FinOps FOCUS specification, 1.2 to 1.4; in money where credit_prices has a price, else in Credits.
-- What each column holds: focus_costs.sql.
WITH
  prices AS (
    -- The months in which each price counts; the first one counts for all months before it too.
    SELECT
      price,
      currency,
      CASE WHEN LAG(month) OVER (ORDER BY month) IS NULL THEN '' ELSE month END AS since,
      COALESCE(LEAD(month) OVER (ORDER BY month), '9999-99') AS until
    FROM credit_prices
  ),
  entries AS (
    SELECT
      l.*,
      COALESCE(p.currency, 'XXX') AS currency,
      COALESCE(p.price, 1.0) AS price,
      CASE WHEN p.price IS NULL THEN l.credits ELSE l.credits * p.price END AS billed,
      CASE WHEN p.price IS NULL THEN l.stated ELSE l.stated * p.price END AS listed
    FROM cost_ledger AS l
    LEFT JOIN prices AS p ON l.month >= p.since AND l.month < p.until
  )
SELECT
  l.billed AS "BilledCost",
  COALESCE('user-' || (SELECT MIN(value) FROM mirror_scope WHERE kind = 'output_owner'), 'unknown') AS "BillingAccountId",
  CAST(NULL AS text) AS "BillingAccountName",
  l.currency AS "BillingCurrency",
  CAST(l.month || '-01' AS timestamp) AT TIME ZONE 'UTC' AS "BillingPeriodStart",
  (CAST(l.month || '-01' AS timestamp) + INTERVAL '1 month') AT TIME ZONE 'UTC' AS "BillingPeriodEnd",
  'Usage' AS "ChargeCategory",
  CASE WHEN l.kind = 'correction' THEN 'Correction' END AS "ChargeClass",
  CASE WHEN l.kind = 'correction' THEN 'Correction of job ' ELSE 'Job ' END || CAST(l.job_id AS text)
    || COALESCE(': ' || o.models, '') AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  CAST(l.day AS timestamp) AT TIME ZONE 'UTC' AS "ChargePeriodStart",
  CAST(l.day + 1 AS timestamp) AT TIME ZONE 'UTC' AS "ChargePeriodEnd",
  CASE WHEN l.kind = 'charge' THEN 1 END AS "ConsumedQuantity",
  CASE WHEN l.kind = 'charge' THEN 'Jobs' END AS "ConsumedUnit",
  l.billed AS "ContractedCost",
  CASE WHEN l.kind = 'charge' THEN CASE WHEN l.preview THEN 0.0 ELSE l.price END END AS "ContractedUnitPrice",
  l.billed AS "EffectiveCost",
  'TensorPix' AS "HostProviderName",
  CAST(NULL AS text) AS "InvoiceId",
  'TensorPix' AS "InvoiceIssuerName",
  l.listed AS "ListCost",
  CASE WHEN l.kind = 'charge' THEN l.price END AS "ListUnitPrice",
  'Standard' AS "PricingCategory",
  'Credits' AS "PricingCurrency",
  CASE WHEN l.kind = 'charge' THEN CASE WHEN l.preview THEN 0.0 ELSE 1.0 END END AS "PricingCurrencyContractedUnitPrice",
  l.credits AS "PricingCurrencyEffectiveCost",
  CASE WHEN l.kind = 'charge' THEN 1.0 END AS "PricingCurrencyListUnitPrice",
  CASE WHEN l.kind = 'charge' THEN l.stated END AS "PricingQuantity",
  CASE WHEN l.kind = 'charge' THEN 'Credits' END AS "PricingUnit",
  'TensorPix' AS "ProviderName",
  'TensorPix' AS "PublisherName",
  'job-' || CAST(l.job_id AS text) AS "ResourceId",
  o.input_name AS "ResourceName",
  'Job' AS "ResourceType",
  'Media' AS "ServiceCategory",
  'Video Enhancement' AS "ServiceName",
  'TensorPix' AS "ServiceProviderName",
  'Content Creation' AS "ServiceSubcategory",
  l.job_id AS "x_JobId",
  l.entry AS "x_LedgerEntry"
FROM entries AS l
JOIN job_overview AS o ON o.job_id = l.job_id
