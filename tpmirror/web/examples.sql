-- Three questions to each view, as they stand on the page of it. They run as they are on SQLite and PostgreSQL, as the
-- role tpmirror_reader too. Before each statement: the view, and the question.

-- active_jobs: Which jobs have waited longest?
SELECT job_id, input_name, status_name, waiting_s FROM active_jobs ORDER BY waiting_s DESC LIMIT 20;
-- active_jobs: How far is each job that is processing?
SELECT job_id, input_name, processing_progress, eta_s FROM active_jobs WHERE status = 1 ORDER BY eta_s;
-- active_jobs: How many jobs are in flight, by status?
SELECT status_name, COUNT(*) AS jobs FROM active_jobs GROUP BY status_name;

-- cost_by_model: Which models cost most this year and before?
SELECT substr(month, 1, 4) AS year, model, SUM(credits) AS credits FROM cost_by_model GROUP BY substr(month, 1, 4), model ORDER BY year DESC, credits DESC;
-- cost_by_model: What did each task cost by month?
SELECT month, task, SUM(credits) AS credits FROM cost_by_model GROUP BY month, task ORDER BY month DESC, credits DESC;
-- cost_by_model: What does a job cost on average with each model?
SELECT model, SUM(credits) / SUM(jobs) AS credits_per_job FROM cost_by_model GROUP BY model ORDER BY credits_per_job DESC;

-- cost_corrections: Which corrections were the largest?
SELECT job_id, observed_at, old_cost, new_cost, credits FROM cost_corrections ORDER BY ABS(credits) DESC LIMIT 20;
-- cost_corrections: How much was corrected on each day?
SELECT substr(CAST(observed_at AS text), 1, 10) AS day, COUNT(*) AS corrections, SUM(credits) AS credits FROM cost_corrections GROUP BY substr(CAST(observed_at AS text), 1, 10) ORDER BY day DESC;
-- cost_corrections: Which jobs became free previews, or stopped being ones?
SELECT job_id, observed_at, old_preview, new_preview, credits FROM cost_corrections WHERE field = 'preview' ORDER BY observed_at DESC;

-- cost_ledger: What is on each month's bill?
SELECT month, kind, COUNT(*) AS entries, SUM(credits) AS credits FROM cost_ledger GROUP BY month, kind ORDER BY month DESC, kind;
-- cost_ledger: What did each day's charges come to?
SELECT day, SUM(credits) AS credits FROM cost_ledger WHERE kind = 'charge' GROUP BY day ORDER BY day DESC LIMIT 31;
-- cost_ledger: What is the balance after each month?
SELECT month, SUM(SUM(credits)) OVER (ORDER BY month) AS balance FROM cost_ledger GROUP BY month ORDER BY month DESC;

-- daily_costs: Which days were the dearest?
SELECT day, jobs, credits FROM daily_costs ORDER BY credits DESC LIMIT 10;
-- daily_costs: What did the last thirty days with jobs cost?
SELECT day, jobs, credits FROM daily_costs ORDER BY day DESC LIMIT 30;
-- daily_costs: What does a job cost on average, by day?
SELECT day, credits / jobs AS credits_per_job FROM daily_costs ORDER BY day DESC LIMIT 31;

-- eta_accuracy: How far off is the estimate at the beginning?
SELECT model, jobs, mean_abs_error_s FROM eta_accuracy WHERE progress_from = 0 ORDER BY mean_abs_error_s DESC;
-- eta_accuracy: Does it get better as a job goes on?
SELECT progress_from, SUM(mean_abs_error_s * samples) / SUM(samples) AS mean_abs_error_s FROM eta_accuracy GROUP BY progress_from ORDER BY progress_from;
-- eta_accuracy: For which models is it too short?
SELECT model, SUM(mean_error_s * samples) / SUM(samples) AS mean_error_s FROM eta_accuracy GROUP BY model HAVING SUM(mean_error_s * samples) < 0 ORDER BY mean_error_s;

-- failure_rates: Which models failed most often?
SELECT model, SUM(jobs) AS jobs, SUM(failures) AS failures FROM failure_rates GROUP BY model ORDER BY failures DESC;
-- failure_rates: How often did jobs fail, by month?
SELECT month, SUM(failures) AS failures, SUM(jobs) AS jobs FROM failure_rates GROUP BY month ORDER BY month DESC;
-- failure_rates: What did failed jobs cost?
SELECT month, SUM(credits_failed) AS credits_failed FROM failure_rates GROUP BY month ORDER BY month DESC;

-- focus_costs: What is billed, by billing period?
SELECT "BillingPeriodStart", "BillingCurrency", SUM("BilledCost") AS billed FROM focus_costs GROUP BY "BillingPeriodStart", "BillingCurrency" ORDER BY "BillingPeriodStart" DESC;
-- focus_costs: What would free previews have cost?
SELECT SUM("ListCost" - "BilledCost") AS free FROM focus_costs WHERE "ChargeClass" IS NULL;
-- focus_costs: Which resources were charged most?
SELECT "ResourceId", "ResourceName", SUM("BilledCost") AS billed FROM focus_costs GROUP BY "ResourceId", "ResourceName" ORDER BY billed DESC LIMIT 20;

-- held_values: Which columns hold an older value?
SELECT entity, entity_id, field, since FROM held_values ORDER BY since DESC;
-- held_values: How many, by field?
SELECT entity, field, COUNT(*) AS values_held FROM held_values GROUP BY entity, field ORDER BY values_held DESC;
-- held_values: Which jobs are they of?
SELECT o.job_id, o.input_name, h.field, h.since FROM held_values AS h JOIN job_overview_public AS o ON o.job_id = h.entity_id WHERE h.entity = 'job';

-- job_durations: How long do jobs wait in the queue, at most?
SELECT job_id, lower_s, upper_s FROM job_durations WHERE status_name = 'In Queue' ORDER BY upper_s DESC LIMIT 20;
-- job_durations: How long does each status last on average?
SELECT status_name, COUNT(*) AS jobs, AVG(lower_s) AS at_least_s, AVG(upper_s) AS at_most_s FROM job_durations WHERE NOT is_open GROUP BY status_name;
-- job_durations: Which jobs came back to a status?
SELECT job_id, status_name, visits FROM job_durations WHERE visits > 1 ORDER BY visits DESC LIMIT 20;

-- job_eta_errors: Which jobs took much longer than estimated?
SELECT job_id, finished, SUM(error_s) / SUM(samples) AS mean_error_s FROM job_eta_errors GROUP BY job_id, finished ORDER BY mean_error_s LIMIT 20;
-- job_eta_errors: How many samples are there, by progress?
SELECT progress_from, COUNT(*) AS jobs, SUM(samples) AS samples FROM job_eta_errors GROUP BY progress_from ORDER BY progress_from;
-- job_eta_errors: How far off was the estimate, by day?
SELECT substr(CAST(finished AS text), 1, 10) AS day, SUM(abs_error_s) / SUM(samples) AS mean_abs_error_s FROM job_eta_errors GROUP BY substr(CAST(finished AS text), 1, 10) ORDER BY day DESC;

-- job_model_costs: How is the cost of a job shared?
SELECT job_id, position, ml_model_id, credits FROM job_model_costs WHERE job_id = (SELECT MAX(id) FROM jobs) ORDER BY position;
-- job_model_costs: What did each model cost in all?
SELECT m.name AS model, SUM(c.credits) AS credits FROM job_model_costs AS c JOIN ml_models AS m ON m.id = c.ml_model_id GROUP BY m.name ORDER BY credits DESC;
-- job_model_costs: Which jobs have costs of no model?
SELECT job_id, credits FROM job_model_costs WHERE ml_model_id IS NULL ORDER BY credits DESC LIMIT 20;

-- job_overview: Which jobs were the dearest?
SELECT job_id, day, input_name, models, credits FROM job_overview WHERE credits IS NOT NULL ORDER BY credits DESC LIMIT 20;
-- job_overview: What does a minute of output cost, by resolution?
SELECT resolution, COUNT(*) AS jobs, AVG(credits_per_output_minute) AS credits_per_minute FROM job_overview WHERE credits_per_output_minute IS NOT NULL GROUP BY resolution ORDER BY credits_per_minute DESC;
-- job_overview: Which jobs failed last?
SELECT job_id, finished, input_name, models FROM job_overview WHERE status_name = 'Failed' ORDER BY finished DESC LIMIT 20;

-- job_overview_public: How many jobs are there, by status?
SELECT status_name, COUNT(*) AS jobs FROM job_overview_public GROUP BY status_name ORDER BY jobs DESC;
-- job_overview_public: How much video was made, by month?
SELECT month, COUNT(*) AS jobs, SUM(output_duration_s) / 3600 AS hours FROM job_overview_public WHERE status_name = 'Finished' GROUP BY month ORDER BY month DESC;
-- job_overview_public: Which jobs took longest?
SELECT job_id, input_name, models, turnaround_s FROM job_overview_public WHERE turnaround_s IS NOT NULL ORDER BY turnaround_s DESC LIMIT 20;

-- status_transitions: What changed last?
SELECT observed_at, job_id, from_name, to_name FROM status_transitions ORDER BY observed_at DESC LIMIT 50;
-- status_transitions: How often was each change seen?
SELECT from_name, to_name, COUNT(*) AS changes FROM status_transitions GROUP BY from_name, to_name ORDER BY changes DESC;
-- status_transitions: When did the API itself state the moment?
SELECT job_id, to_name, occurred_at, observed_at FROM status_transitions WHERE occurred_at IS NOT NULL ORDER BY occurred_at DESC LIMIT 20;

-- storage_usage: Which outputs are the largest?
SELECT output_video_id, job_id, name, size FROM storage_usage ORDER BY size DESC LIMIT 20;
-- storage_usage: How much would it free to delete outputs of previews?
SELECT COUNT(*) AS outputs, SUM(size) AS bytes FROM storage_usage WHERE preview;
-- storage_usage: How much space does each codec take?
SELECT codec, COUNT(*) AS outputs, SUM(size) AS bytes FROM storage_usage GROUP BY codec ORDER BY bytes DESC;

-- sync_health: Is the mirror complete, and as of when?
SELECT certified_at, certified_age_s, jobs, in_flight FROM sync_health;
-- sync_health: What was the last run, and the last failure?
SELECT last_run_id, last_run_kind, last_run_outcome, last_run_at, last_failure_at, last_error FROM sync_health;
-- sync_health: What waits for an operator?
SELECT waiting_for_operator, missing, quarantined, unreadable, incomplete, accepted FROM sync_health;

-- videos: Which videos are the longest?
SELECT kind, video_id, name, duration_s FROM videos WHERE duration_s IS NOT NULL ORDER BY duration_s DESC LIMIT 20;
-- videos: How large are inputs and outputs?
SELECT kind, COUNT(*) AS videos, SUM(size) AS bytes FROM videos GROUP BY kind;
-- videos: Which sizes of picture come in most?
SELECT width, height, COUNT(*) AS videos FROM videos WHERE kind = 'input' GROUP BY width, height ORDER BY videos DESC LIMIT 20;

-- videos_public: Which outputs were rated?
SELECT video_id, job_id, name, quality_score FROM videos_public WHERE quality_score IS NOT NULL ORDER BY quality_score, video_id LIMIT 20;
-- videos_public: How many videos came in each month?
SELECT substr(CAST(created_at AS text), 1, 7) AS month, kind, COUNT(*) AS videos FROM videos_public GROUP BY substr(CAST(created_at AS text), 1, 7), kind ORDER BY month DESC, kind;
-- videos_public: Which frame rates are there?
SELECT framerate, COUNT(*) AS videos FROM videos_public GROUP BY framerate ORDER BY videos DESC LIMIT 20;
