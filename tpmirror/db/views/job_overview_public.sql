-- A job as in job_overview, without its input's owner: no personal data, for roles and tools that may not see any.
-- job_id (integer): job
-- status (integer): status code, see job_statuses
-- status_name (text): status
-- is_terminal (boolean): whether the job is over
-- presence (text): listed, missing, unlisted or gone
-- preview (boolean): free preview: not charged; false if upstream does not say
-- description (text): free text
-- day (date): day (UTC) on which the job counts: when it finished, else when it started, else when it was first seen
-- month (text): month of that day, YYYY-MM
-- started (time): upstream's start time, probably the creation
-- finished (time): upstream's finish time
-- credits (money): what the job counts in every sum: its cost in Credits, 0 for a preview; null if upstream states none
-- cost_usd (money): the cost as upstream states it, in Credits despite its name
-- credits_per_output_minute (real): credits by the minutes of the output video
-- models (text): names of the models in the API's order, separated by commas
-- tasks (text): names of the models' tasks, in the same order
-- codec (text): codec of the output
-- resolution (text): output resolution
-- input_video_id (integer): input video
-- input_name (text): its name
-- input_width (integer): its width in pixels
-- input_height (integer): its height in pixels
-- input_megapixels (real): its millions of pixels per frame
-- input_duration_s (real): its length in seconds
-- input_size (integer): its size in bytes
-- output_video_id (integer): output video
-- output_name (text): its name
-- output_width (integer): its width in pixels
-- output_height (integer): its height in pixels
-- output_megapixels (real): its millions of pixels per frame
-- output_duration_s (real): its length in seconds
-- output_size (integer): its size in bytes
-- output_deleted_at (time): when it was deleted upstream; null if it was not
-- quality_score (integer): rating by the user, 1 worst to 5 best
-- queue_s (real): seconds in the queue, the best estimate; null if the mirror did not see it; bounds in job_durations
-- processing_s (real): seconds in processing, likewise
-- turnaround_s (real): seconds from started to finished, as upstream states them
-- processing_progress (real): ratio from 0 to 1
-- eta_s (real): estimated seconds to the end
-- first_seen_at (time): when the mirror first saw the job
-- changed_at (time): when the mirror last saw it change
SELECT
  job_id,
  status,
  status_name,
  is_terminal,
  presence,
  preview,
  description,
  day,
  month,
  started,
  finished,
  credits,
  cost_usd,
  credits_per_output_minute,
  models,
  tasks,
  codec,
  resolution,
  input_video_id,
  input_name,
  input_width,
  input_height,
  input_megapixels,
  input_duration_s,
  input_size,
  output_video_id,
  output_name,
  output_width,
  output_height,
  output_megapixels,
  output_duration_s,
  output_size,
  output_deleted_at,
  quality_score,
  queue_s,
  processing_s,
  turnaround_s,
  processing_progress,
  eta_s,
  first_seen_at,
  changed_at
FROM job_overview
