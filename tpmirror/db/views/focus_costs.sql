-- A row of cost_ledger in the columns of the FinOps FOCUS specification, 1.2 to 1.4; in money where credit_prices has a price, else in Credits.
-- BilledCost (amount): what is charged, signed: Credits times the price of the entry's month; Credits where there is no price
-- BillingAccountId (text): user- and the number of the account's user; unknown before the first output
-- BillingAccountName (text): always null: the API names no account
-- BillingCurrency (text): currency of the price; without one XXX, the code of ISO 4217 for none: the amounts are Credits
-- BillingPeriodStart (time): first instant of the ledger entry's month (UTC)
-- BillingPeriodEnd (time): first instant after it
-- ChargeCategory (text): always Usage
-- ChargeClass (text): Correction for a correction: Credits are taken at once, so it corrects what was settled; else null
-- ChargeDescription (text): the job, and its models
-- ChargeFrequency (text): always Usage-Based
-- ChargePeriodStart (time): first instant of the ledger entry's day (UTC)
-- ChargePeriodEnd (time): first instant after it
-- ConsumedQuantity (integer): 1 job; null for a correction
-- ConsumedUnit (text): Jobs; null for a correction
-- ContractedCost (amount): as BilledCost
-- ContractedUnitPrice (amount): as ListUnitPrice, 0 of a free preview; null for a correction
-- EffectiveCost (amount): as BilledCost
-- HostProviderName (text): always TensorPix; since FOCUS 1.3 in place of PublisherName
-- InvoiceId (text): always null: the API names no invoice
-- InvoiceIssuerName (text): always TensorPix
-- ListCost (amount): the cost as upstream states it, a free preview's too, in BillingCurrency
-- ListUnitPrice (amount): price of a Credit, 1 where there is none; null for a correction
-- PricingCategory (text): always Standard
-- PricingCurrency (text): always Credits
-- PricingCurrencyContractedUnitPrice (money): 1 per Credit, 0 of a free preview; null for a correction
-- PricingCurrencyEffectiveCost (money): Credits charged, signed; sums to job_overview.credits exactly
-- PricingCurrencyListUnitPrice (money): 1 per Credit; null for a correction
-- PricingQuantity (money): Credits as stated; null for a correction
-- PricingUnit (text): Credits; null for a correction
-- ProviderName (text): always TensorPix
-- PublisherName (text): always TensorPix
-- ResourceId (text): job- and the number of the job
-- ResourceName (text): name of its input video
-- ResourceType (text): always Job
-- ServiceCategory (text): always Media
-- ServiceName (text): always Video Enhancement
-- ServiceProviderName (text): always TensorPix; since FOCUS 1.3 in place of ProviderName
-- ServiceSubcategory (text): always Content Creation
-- x_JobId (integer): job
-- x_LedgerEntry (integer): entry of cost_ledger: 0 for the charge, else the number of the change
WITH
  prices AS (
    -- The months in which each price counts; the first one counts for all months before it too.
    SELECT
      price,
      currency,
      CASE WHEN LAG(month) OVER (ORDER BY month) IS NULL THEN '' ELSE month END AS since,
      COALESCE(LEAD(month) OVER (ORDER BY month), '9999-99') AS until,
      CAST(ROUND(price * 1000000) AS bigint) AS micros
    FROM credit_prices
  ),
  entries AS (
    SELECT
      l.*,
      COALESCE(p.currency, 'XXX') AS currency,
      COALESCE(p.price, 1.0) AS price,
      -- In whole units of both, divided once: the double that is nearest to the exact amount.
      CASE WHEN p.price IS NULL THEN l.credits ELSE CAST(ROUND(l.credits * 10000) AS bigint) * p.micros / 10000000000.0 END AS billed,
      CASE WHEN p.price IS NULL THEN l.stated ELSE CAST(ROUND(l.stated * 10000) AS bigint) * p.micros / 10000000000.0 END AS listed
    FROM cost_ledger AS l
    LEFT JOIN prices AS p ON l.month >= p.since AND l.month < p.until
  )
SELECT
  l.billed AS "BilledCost",
  COALESCE('user-' || (SELECT MIN(value) FROM mirror_scope WHERE kind = 'output_owner'), 'unknown') AS "BillingAccountId",
  CAST(NULL AS text) AS "BillingAccountName",
  l.currency AS "BillingCurrency",
  l.month || '-01 00:00:00.000000+00:00' AS "BillingPeriodStart",
  date(l.month || '-01', '+1 month') || ' 00:00:00.000000+00:00' AS "BillingPeriodEnd",
  'Usage' AS "ChargeCategory",
  CASE WHEN l.kind = 'correction' THEN 'Correction' END AS "ChargeClass",
  CASE WHEN l.kind = 'correction' THEN 'Correction of job ' ELSE 'Job ' END || CAST(l.job_id AS text)
    || COALESCE(': ' || o.models, '') AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  l.day || ' 00:00:00.000000+00:00' AS "ChargePeriodStart",
  date(l.day, '+1 day') || ' 00:00:00.000000+00:00' AS "ChargePeriodEnd",
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
