SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
CREATE FUNCTION public.tpmirror_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TABLE public.input_videos (
    id bigint NOT NULL,
    name text,
    width integer,
    height integer,
    created_at timestamp with time zone,
    n_frames bigint,
    framerate double precision,
    size bigint,
    owner text,
    thumbnail text,
    bitrate bigint,
    codec_id text,
    bit_depth integer,
    chroma_subsampling text,
    color_space text,
    file text,
    external_url text,
    extra text,
    first_seen_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.input_videos IS 'videos that jobs read; one may feed many jobs';
COMMENT ON COLUMN public.input_videos.id IS 'id of the input video; a sequence of its own, collides with output_videos.id';
COMMENT ON COLUMN public.input_videos.name IS 'media name';
COMMENT ON COLUMN public.input_videos.width IS 'width in pixels';
COMMENT ON COLUMN public.input_videos.height IS 'height in pixels';
COMMENT ON COLUMN public.input_videos.created_at IS 'when the media was created upstream (UTC)';
COMMENT ON COLUMN public.input_videos.n_frames IS 'number of frames';
COMMENT ON COLUMN public.input_videos.framerate IS 'frames per second';
COMMENT ON COLUMN public.input_videos.size IS 'size in bytes';
COMMENT ON COLUMN public.input_videos.owner IS 'e-mail address of the owner (personal data)';
COMMENT ON COLUMN public.input_videos.thumbnail IS 'URL of the thumbnail without its query string';
COMMENT ON COLUMN public.input_videos.bitrate IS 'bits per second';
COMMENT ON COLUMN public.input_videos.codec_id IS 'codec as MediaInfo names it, for example avc1';
COMMENT ON COLUMN public.input_videos.bit_depth IS 'bits per sample';
COMMENT ON COLUMN public.input_videos.chroma_subsampling IS 'for example 4:2:0';
COMMENT ON COLUMN public.input_videos.color_space IS 'for example YUV';
COMMENT ON COLUMN public.input_videos.file IS 'URL of the media without its presigned query string; null if not stored upstream';
COMMENT ON COLUMN public.input_videos.external_url IS 'source of a job made from a URL, without its query string';
COMMENT ON COLUMN public.input_videos.extra IS 'JSON object of the keys upstream sent that have no column; null when none';
COMMENT ON COLUMN public.input_videos.first_seen_at IS 'when the mirror first saw this row (UTC)';
COMMENT ON COLUMN public.input_videos.changed_at IS 'when the mirror last saw a column of this row change (UTC)';
CREATE TABLE public.job_ml_models (
    job_id bigint NOT NULL,
    "position" smallint NOT NULL,
    ml_model_id bigint NOT NULL,
    cost_weight double precision
);
COMMENT ON TABLE public.job_ml_models IS 'which models a job uses, in the API''s order';
COMMENT ON COLUMN public.job_ml_models.job_id IS 'job';
COMMENT ON COLUMN public.job_ml_models."position" IS 'place in the API''s list, from 0';
COMMENT ON COLUMN public.job_ml_models.ml_model_id IS 'model';
COMMENT ON COLUMN public.job_ml_models.cost_weight IS 'the model''s cost weight when the job was first seen with it';
CREATE TABLE public.job_status_history (
    job_id bigint NOT NULL,
    seq integer NOT NULL,
    from_status smallint,
    to_status smallint NOT NULL,
    not_before timestamp with time zone,
    observed_at timestamp with time zone NOT NULL,
    occurred_at timestamp with time zone,
    sync_run_id bigint NOT NULL,
    row_hash text NOT NULL,
    entry bigint NOT NULL
);
COMMENT ON TABLE public.job_status_history IS 'one row per status change that the API showed; append-only';
COMMENT ON COLUMN public.job_status_history.job_id IS 'job';
COMMENT ON COLUMN public.job_status_history.seq IS 'number of the change within the job, from 1';
COMMENT ON COLUMN public.job_status_history.from_status IS 'status before; null in the first row';
COMMENT ON COLUMN public.job_status_history.to_status IS 'status after';
COMMENT ON COLUMN public.job_status_history.not_before IS 'when the mirror last saw the old status (UTC); null in the first row';
COMMENT ON COLUMN public.job_status_history.observed_at IS 'when the mirror saw the new status (UTC)';
COMMENT ON COLUMN public.job_status_history.occurred_at IS 'the moment upstream states for it (UTC), else null';
COMMENT ON COLUMN public.job_status_history.sync_run_id IS 'run that saw it';
COMMENT ON COLUMN public.job_status_history.row_hash IS 'SHA-256 of the previous entry''s hash and this row, hex';
COMMENT ON COLUMN public.job_status_history.entry IS 'place in the hash chain, from 1, no gaps';
CREATE TABLE public.job_statuses (
    code smallint NOT NULL,
    name text NOT NULL,
    is_terminal boolean NOT NULL
);
COMMENT ON TABLE public.job_statuses IS 'labels of jobs.status';
COMMENT ON COLUMN public.job_statuses.code IS 'status code of the API';
COMMENT ON COLUMN public.job_statuses.name IS 'label; unknown (N) for a code that this version does not know';
COMMENT ON COLUMN public.job_statuses.is_terminal IS 'whether a job in this status is over';
CREATE TABLE public.jobs (
    id bigint NOT NULL,
    status smallint NOT NULL,
    preview boolean,
    description text,
    cost_usd numeric(10,4),
    eta_s double precision,
    processing_progress double precision,
    started timestamp with time zone,
    finished timestamp with time zone,
    input_video_id bigint,
    output_video_id bigint,
    grain double precision,
    codec text,
    output_resolution integer,
    comparison boolean,
    stabilization_smoothing integer,
    fps_interpolation_factor double precision,
    playback_speed double precision,
    sharpen_strength double precision,
    start_frame bigint,
    end_frame bigint,
    extra text,
    first_seen_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    presence text NOT NULL,
    gone_at timestamp with time zone,
    input_video_detached_at timestamp with time zone,
    output_video_detached_at timestamp with time zone,
    fingerprint text NOT NULL
);
COMMENT ON TABLE public.jobs IS 'one row per job, as last seen; never deleted';
COMMENT ON COLUMN public.jobs.id IS 'id of the job';
COMMENT ON COLUMN public.jobs.status IS '0 queued, 1 processing, 2 finished, -1 failed, -2 canceled; see job_statuses';
COMMENT ON COLUMN public.jobs.preview IS 'free preview: not charged, watermarked, a short segment only';
COMMENT ON COLUMN public.jobs.description IS 'free text';
COMMENT ON COLUMN public.jobs.cost_usd IS 'cost in Credits, despite its upstream name; exact to 4 decimals';
COMMENT ON COLUMN public.jobs.eta_s IS 'estimated seconds to the end; volatile, not in field_changes';
COMMENT ON COLUMN public.jobs.processing_progress IS 'ratio from 0 to 1; volatile, not in field_changes';
COMMENT ON COLUMN public.jobs.started IS 'upstream''s start time (UTC); stated for queued jobs too, so probably creation';
COMMENT ON COLUMN public.jobs.finished IS 'upstream''s finish time (UTC)';
COMMENT ON COLUMN public.jobs.input_video_id IS 'input video; stays when upstream detaches it';
COMMENT ON COLUMN public.jobs.output_video_id IS 'enhanced video; stays when upstream detaches it';
COMMENT ON COLUMN public.jobs.grain IS 'film grain added, 0 to 1';
COMMENT ON COLUMN public.jobs.codec IS 'codec of the output: libx264, libx265, prores_ks';
COMMENT ON COLUMN public.jobs.output_resolution IS 'output resolution code, see output_resolutions';
COMMENT ON COLUMN public.jobs.comparison IS 'whether the output shows original and enhanced side by side';
COMMENT ON COLUMN public.jobs.stabilization_smoothing IS 'strength of stabilization';
COMMENT ON COLUMN public.jobs.fps_interpolation_factor IS '1.5 gives 1.5 times the frames; 1 leaves them';
COMMENT ON COLUMN public.jobs.playback_speed IS '0.5 is half speed';
COMMENT ON COLUMN public.jobs.sharpen_strength IS 'strength of sharpening';
COMMENT ON COLUMN public.jobs.start_frame IS 'first frame enhanced';
COMMENT ON COLUMN public.jobs.end_frame IS 'last frame enhanced';
COMMENT ON COLUMN public.jobs.extra IS 'JSON object of the keys upstream sent that have no column; null when none';
COMMENT ON COLUMN public.jobs.first_seen_at IS 'when the mirror first saw this row (UTC)';
COMMENT ON COLUMN public.jobs.changed_at IS 'when the mirror last saw a column of this row change (UTC)';
COMMENT ON COLUMN public.jobs.presence IS 'listed, missing (absent from a certified walk, not yet explained), unlisted (answers by id only), gone (404)';
COMMENT ON COLUMN public.jobs.gone_at IS 'when the job was found gone (UTC); null unless presence is gone';
COMMENT ON COLUMN public.jobs.input_video_detached_at IS 'since when upstream shows the job without the input video it had (UTC)';
COMMENT ON COLUMN public.jobs.output_video_detached_at IS 'since when upstream shows the job without the output video it had (UTC)';
COMMENT ON COLUMN public.jobs.fingerprint IS 'hash of the last answer without the queries of its URLs: equal means no news; working column';
CREATE TABLE public.ml_models (
    id bigint NOT NULL,
    name text,
    task integer,
    cost_weight double precision,
    upscale_factor integer,
    fps_boost_factor integer,
    priority integer,
    max_resolution integer,
    extra text,
    first_seen_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.ml_models IS 'models as the newest job that used each shows them';
COMMENT ON COLUMN public.ml_models.id IS 'id of the model';
COMMENT ON COLUMN public.ml_models.name IS 'model name';
COMMENT ON COLUMN public.ml_models.task IS 'task (filter) code, see ml_tasks';
COMMENT ON COLUMN public.ml_models.cost_weight IS 'impact on a job''s cost, as the newest job that used the model shows it';
COMMENT ON COLUMN public.ml_models.upscale_factor IS '2 turns 512x512 into 1024x1024';
COMMENT ON COLUMN public.ml_models.fps_boost_factor IS 'deprecated upstream, see jobs.fps_interpolation_factor';
COMMENT ON COLUMN public.ml_models.priority IS 'order of execution, lower is earlier';
COMMENT ON COLUMN public.ml_models.max_resolution IS 'largest input the model supports, in pixels';
COMMENT ON COLUMN public.ml_models.extra IS 'JSON object of the keys upstream sent that have no column; null when none';
COMMENT ON COLUMN public.ml_models.first_seen_at IS 'when the mirror first saw this row (UTC)';
COMMENT ON COLUMN public.ml_models.changed_at IS 'when the mirror last saw a column of this row change (UTC)';
CREATE TABLE public.ml_tasks (
    code integer NOT NULL,
    name text NOT NULL
);
COMMENT ON TABLE public.ml_tasks IS 'labels of ml_models.task';
COMMENT ON COLUMN public.ml_tasks.code IS 'task code of the API';
COMMENT ON COLUMN public.ml_tasks.name IS 'label; unknown (N) for a code that this version does not know';
CREATE TABLE public.output_resolutions (
    code integer NOT NULL,
    name text NOT NULL
);
COMMENT ON TABLE public.output_resolutions IS 'labels of jobs.output_resolution';
COMMENT ON COLUMN public.output_resolutions.code IS 'output resolution code of the API: width in pixels, -1 for none';
COMMENT ON COLUMN public.output_resolutions.name IS 'label; unknown (N) for a code that this version does not know';
CREATE TABLE public.output_videos (
    id bigint NOT NULL,
    job_id bigint,
    preview_before text,
    preview_after text,
    name text,
    width integer,
    height integer,
    created_at timestamp with time zone,
    n_frames bigint,
    framerate double precision,
    size bigint,
    owner bigint,
    thumbnail text,
    bitrate bigint,
    codec_id text,
    bit_depth integer,
    chroma_subsampling text,
    color_space text,
    file text,
    deleted timestamp with time zone,
    quality_score integer,
    extra text,
    first_seen_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.output_videos IS 'enhanced videos that jobs made';
COMMENT ON COLUMN public.output_videos.id IS 'id of the enhanced video; a sequence of its own, collides with input_videos.id';
COMMENT ON COLUMN public.output_videos.job_id IS 'job that made it, as upstream states it';
COMMENT ON COLUMN public.output_videos.preview_before IS 'URL of the preview before, without query string';
COMMENT ON COLUMN public.output_videos.preview_after IS 'URL of the preview after, without query string';
COMMENT ON COLUMN public.output_videos.name IS 'media name';
COMMENT ON COLUMN public.output_videos.width IS 'width in pixels';
COMMENT ON COLUMN public.output_videos.height IS 'height in pixels';
COMMENT ON COLUMN public.output_videos.created_at IS 'when the media was created upstream (UTC)';
COMMENT ON COLUMN public.output_videos.n_frames IS 'number of frames';
COMMENT ON COLUMN public.output_videos.framerate IS 'frames per second';
COMMENT ON COLUMN public.output_videos.size IS 'size in bytes';
COMMENT ON COLUMN public.output_videos.owner IS 'user id of the owner';
COMMENT ON COLUMN public.output_videos.thumbnail IS 'URL of the thumbnail without its query string';
COMMENT ON COLUMN public.output_videos.bitrate IS 'bits per second';
COMMENT ON COLUMN public.output_videos.codec_id IS 'codec as MediaInfo names it, for example avc1';
COMMENT ON COLUMN public.output_videos.bit_depth IS 'bits per sample';
COMMENT ON COLUMN public.output_videos.chroma_subsampling IS 'for example 4:2:0';
COMMENT ON COLUMN public.output_videos.color_space IS 'for example YUV';
COMMENT ON COLUMN public.output_videos.file IS 'URL of the media without its presigned query string; null if not stored upstream';
COMMENT ON COLUMN public.output_videos.deleted IS 'when the media was deleted upstream (UTC); null if it was not';
COMMENT ON COLUMN public.output_videos.quality_score IS 'rating by the user, 1 worst to 5 best; null if not rated';
COMMENT ON COLUMN public.output_videos.extra IS 'JSON object of the keys upstream sent that have no column; null when none';
COMMENT ON COLUMN public.output_videos.first_seen_at IS 'when the mirror first saw this row (UTC)';
COMMENT ON COLUMN public.output_videos.changed_at IS 'when the mirror last saw a column of this row change (UTC)';
CREATE VIEW public.job_overview AS
 SELECT j.id AS job_id,
    j.status,
    s.name AS status_name,
    s.is_terminal,
    j.presence,
    COALESCE(j.preview, false) AS preview,
    j.description,
    ((COALESCE(j.finished, j.started, j.first_seen_at) AT TIME ZONE 'UTC'::text))::date AS day,
    to_char((COALESCE(j.finished, j.started, j.first_seen_at) AT TIME ZONE 'UTC'::text), 'YYYY-MM'::text) AS month,
    j.started,
    j.finished,
        CASE
            WHEN j.preview THEN 0.0000
            ELSE j.cost_usd
        END AS credits,
    j.cost_usd,
        CASE
            WHEN ((NOT COALESCE(j.preview, false)) AND (o.n_frames > 0) AND (o.framerate > (0.001)::double precision)) THEN ((((j.cost_usd)::double precision * (60)::double precision) * o.framerate) / (o.n_frames)::double precision)
            ELSE NULL::double precision
        END AS credits_per_output_minute,
    ( SELECT string_agg(m.name, ', '::text ORDER BY l."position") AS string_agg
           FROM (public.job_ml_models l
             JOIN public.ml_models m ON ((m.id = l.ml_model_id)))
          WHERE (l.job_id = j.id)) AS models,
    ( SELECT string_agg(t.name, ', '::text ORDER BY l."position") AS string_agg
           FROM ((public.job_ml_models l
             JOIN public.ml_models m ON ((m.id = l.ml_model_id)))
             JOIN public.ml_tasks t ON ((t.code = m.task)))
          WHERE (l.job_id = j.id)) AS tasks,
    j.codec,
    r.name AS resolution,
    j.input_video_id,
    i.name AS input_name,
    i.owner AS input_owner,
    i.width AS input_width,
    i.height AS input_height,
    (((i.width)::double precision * (i.height)::double precision) / (1000000)::double precision) AS input_megapixels,
        CASE
            WHEN (i.framerate > (0.001)::double precision) THEN ((i.n_frames)::double precision / i.framerate)
            ELSE NULL::double precision
        END AS input_duration_s,
    i.size AS input_size,
    j.output_video_id,
    o.name AS output_name,
    o.width AS output_width,
    o.height AS output_height,
    (((o.width)::double precision * (o.height)::double precision) / (1000000)::double precision) AS output_megapixels,
        CASE
            WHEN (o.framerate > (0.001)::double precision) THEN ((o.n_frames)::double precision / o.framerate)
            ELSE NULL::double precision
        END AS output_duration_s,
    o.size AS output_size,
    o.deleted AS output_deleted_at,
    o.quality_score,
        CASE
            WHEN (h.occurred_at = j.started) THEN ( SELECT (round(GREATEST((0)::numeric, EXTRACT(epoch FROM (h.occurred_at - q.occurred_at))), 3))::double precision AS round
               FROM public.job_status_history q
              WHERE ((q.job_id = j.id) AND (q.seq = 1) AND (q.occurred_at IS NOT NULL)))
            WHEN ((h.seq = 2) AND (j.started IS NOT NULL)) THEN (round(GREATEST((0)::numeric, EXTRACT(epoch FROM (COALESCE(h.occurred_at, (h.not_before + ((h.observed_at - h.not_before) / (2)::double precision))) - j.started))), 3))::double precision
            ELSE NULL::double precision
        END AS queue_s,
        CASE
            WHEN ((h.seq = 2) AND (j.finished IS NOT NULL)) THEN (round(GREATEST((0)::numeric, EXTRACT(epoch FROM (j.finished - COALESCE(h.occurred_at, (h.not_before + ((h.observed_at - h.not_before) / (2)::double precision)))))), 3))::double precision
            ELSE NULL::double precision
        END AS processing_s,
    (round(EXTRACT(epoch FROM (j.finished - j.started)), 3))::double precision AS turnaround_s,
    j.processing_progress,
    j.eta_s,
    j.first_seen_at,
    j.changed_at
   FROM (((((public.jobs j
     JOIN public.job_statuses s ON ((s.code = j.status)))
     LEFT JOIN public.output_resolutions r ON ((r.code = j.output_resolution)))
     LEFT JOIN public.input_videos i ON ((i.id = j.input_video_id)))
     LEFT JOIN public.output_videos o ON ((o.id = j.output_video_id)))
     LEFT JOIN public.job_status_history h ON (((h.job_id = j.id) AND (h.seq = 2) AND (h.from_status = 0) AND (h.to_status = 1))));
COMMENT ON VIEW public.job_overview IS 'A job, everything joined and labelled: names instead of codes, both videos'' main figures, cost and times.';
COMMENT ON COLUMN public.job_overview.job_id IS 'job';
COMMENT ON COLUMN public.job_overview.status IS 'status code, see job_statuses';
COMMENT ON COLUMN public.job_overview.status_name IS 'status';
COMMENT ON COLUMN public.job_overview.is_terminal IS 'whether the job is over';
COMMENT ON COLUMN public.job_overview.presence IS 'listed, missing, unlisted or gone';
COMMENT ON COLUMN public.job_overview.preview IS 'free preview: not charged; false if upstream does not say';
COMMENT ON COLUMN public.job_overview.description IS 'free text';
COMMENT ON COLUMN public.job_overview.day IS 'day (UTC) on which the job counts: when it finished, else when it started, else when it was first seen';
COMMENT ON COLUMN public.job_overview.month IS 'month of that day, YYYY-MM';
COMMENT ON COLUMN public.job_overview.started IS 'upstream''s start time, probably the creation';
COMMENT ON COLUMN public.job_overview.finished IS 'upstream''s finish time';
COMMENT ON COLUMN public.job_overview.credits IS 'what the job counts in every sum: its cost in Credits, 0 for a preview; null if upstream states none';
COMMENT ON COLUMN public.job_overview.cost_usd IS 'the cost as upstream states it, in Credits despite its name';
COMMENT ON COLUMN public.job_overview.credits_per_output_minute IS 'credits by the minutes of the output video';
COMMENT ON COLUMN public.job_overview.models IS 'names of the models in the API''s order, separated by commas';
COMMENT ON COLUMN public.job_overview.tasks IS 'names of the models'' tasks, in the same order';
COMMENT ON COLUMN public.job_overview.codec IS 'codec of the output';
COMMENT ON COLUMN public.job_overview.resolution IS 'output resolution';
COMMENT ON COLUMN public.job_overview.input_video_id IS 'input video';
COMMENT ON COLUMN public.job_overview.input_name IS 'its name';
COMMENT ON COLUMN public.job_overview.input_owner IS 'e-mail address of its owner (personal data)';
COMMENT ON COLUMN public.job_overview.input_width IS 'its width in pixels';
COMMENT ON COLUMN public.job_overview.input_height IS 'its height in pixels';
COMMENT ON COLUMN public.job_overview.input_megapixels IS 'its millions of pixels per frame';
COMMENT ON COLUMN public.job_overview.input_duration_s IS 'its length in seconds';
COMMENT ON COLUMN public.job_overview.input_size IS 'its size in bytes';
COMMENT ON COLUMN public.job_overview.output_video_id IS 'output video';
COMMENT ON COLUMN public.job_overview.output_name IS 'its name';
COMMENT ON COLUMN public.job_overview.output_width IS 'its width in pixels';
COMMENT ON COLUMN public.job_overview.output_height IS 'its height in pixels';
COMMENT ON COLUMN public.job_overview.output_megapixels IS 'its millions of pixels per frame';
COMMENT ON COLUMN public.job_overview.output_duration_s IS 'its length in seconds';
COMMENT ON COLUMN public.job_overview.output_size IS 'its size in bytes';
COMMENT ON COLUMN public.job_overview.output_deleted_at IS 'when it was deleted upstream; null if it was not';
COMMENT ON COLUMN public.job_overview.quality_score IS 'rating by the user, 1 worst to 5 best';
COMMENT ON COLUMN public.job_overview.queue_s IS 'seconds in the queue, the best estimate; null if the mirror did not see it; bounds in job_durations';
COMMENT ON COLUMN public.job_overview.processing_s IS 'seconds in processing, likewise';
COMMENT ON COLUMN public.job_overview.turnaround_s IS 'seconds from started to finished, as upstream states them';
COMMENT ON COLUMN public.job_overview.processing_progress IS 'ratio from 0 to 1';
COMMENT ON COLUMN public.job_overview.eta_s IS 'estimated seconds to the end';
COMMENT ON COLUMN public.job_overview.first_seen_at IS 'when the mirror first saw the job';
COMMENT ON COLUMN public.job_overview.changed_at IS 'when the mirror last saw it change';
CREATE VIEW public.active_jobs AS
 SELECT a.job_id,
    a.status,
    a.status_name,
    a.presence,
    a.preview,
    a.description,
    a.input_name,
    a.models,
    a.resolution,
    a.credits,
    a.started,
        CASE
            WHEN (a.started IS NOT NULL) THEN (round(GREATEST((0)::numeric, EXTRACT(epoch FROM (now() - a.started))), 3))::double precision
            ELSE NULL::double precision
        END AS waiting_s,
    a.status_since,
        CASE
            WHEN (a.status_since IS NOT NULL) THEN (round(GREATEST((0)::numeric, EXTRACT(epoch FROM (now() - a.status_since))), 3))::double precision
            ELSE NULL::double precision
        END AS status_s,
    a.processing_progress,
    a.eta_s
   FROM ( SELECT o.job_id,
            o.status,
            o.status_name,
            o.is_terminal,
            o.presence,
            o.preview,
            o.description,
            o.day,
            o.month,
            o.started,
            o.finished,
            o.credits,
            o.cost_usd,
            o.credits_per_output_minute,
            o.models,
            o.tasks,
            o.codec,
            o.resolution,
            o.input_video_id,
            o.input_name,
            o.input_owner,
            o.input_width,
            o.input_height,
            o.input_megapixels,
            o.input_duration_s,
            o.input_size,
            o.output_video_id,
            o.output_name,
            o.output_width,
            o.output_height,
            o.output_megapixels,
            o.output_duration_s,
            o.output_size,
            o.output_deleted_at,
            o.quality_score,
            o.queue_s,
            o.processing_s,
            o.turnaround_s,
            o.processing_progress,
            o.eta_s,
            o.first_seen_at,
            o.changed_at,
            ( SELECT COALESCE(h.occurred_at, h.observed_at) AS "coalesce"
                   FROM public.job_status_history h
                  WHERE (h.job_id = o.job_id)
                  ORDER BY h.seq DESC
                 LIMIT 1) AS status_since
           FROM public.job_overview o
          WHERE ((NOT o.is_terminal) AND (o.presence <> 'gone'::text))) a
  ORDER BY a.started, a.job_id;
COMMENT ON VIEW public.active_jobs IS 'A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.';
COMMENT ON COLUMN public.active_jobs.job_id IS 'job';
COMMENT ON COLUMN public.active_jobs.status IS 'status code';
COMMENT ON COLUMN public.active_jobs.status_name IS 'status';
COMMENT ON COLUMN public.active_jobs.presence IS 'listed, missing or unlisted';
COMMENT ON COLUMN public.active_jobs.preview IS 'free preview';
COMMENT ON COLUMN public.active_jobs.description IS 'free text';
COMMENT ON COLUMN public.active_jobs.input_name IS 'name of the input video';
COMMENT ON COLUMN public.active_jobs.models IS 'names of the models, separated by commas';
COMMENT ON COLUMN public.active_jobs.resolution IS 'output resolution';
COMMENT ON COLUMN public.active_jobs.credits IS 'what it costs; a preview 0';
COMMENT ON COLUMN public.active_jobs.started IS 'upstream''s start time, probably the creation';
COMMENT ON COLUMN public.active_jobs.waiting_s IS 'seconds since then, on the database''s clock';
COMMENT ON COLUMN public.active_jobs.status_since IS 'when upstream says that it came into its status, else when the mirror saw it there';
COMMENT ON COLUMN public.active_jobs.status_s IS 'seconds since then';
COMMENT ON COLUMN public.active_jobs.processing_progress IS 'ratio from 0 to 1, as last seen';
COMMENT ON COLUMN public.active_jobs.eta_s IS 'estimated seconds to the end, as last seen';
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alerts (
    id bigint NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    remedy text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    attempted_at timestamp with time zone,
    notified_at timestamp with time zone,
    resolved_at timestamp with time zone,
    recovery_notified_at timestamp with time zone
);
COMMENT ON TABLE public.alerts IS 'alerts, open and over, and who was told when';
COMMENT ON COLUMN public.alerts.id IS 'number of the alert';
COMMENT ON COLUMN public.alerts.code IS 'what it is about; of several with one code, one is open at most';
COMMENT ON COLUMN public.alerts.message IS 'what is wrong';
COMMENT ON COLUMN public.alerts.remedy IS 'what to do about it';
COMMENT ON COLUMN public.alerts.opened_at IS 'when it was first so (UTC)';
COMMENT ON COLUMN public.alerts.attempted_at IS 'when somebody last set out to tell it (UTC)';
COMMENT ON COLUMN public.alerts.notified_at IS 'when it was told (UTC)';
COMMENT ON COLUMN public.alerts.resolved_at IS 'when it was over (UTC); events are never over';
COMMENT ON COLUMN public.alerts.recovery_notified_at IS 'when it was told that it is over (UTC)';
CREATE SEQUENCE public.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.alerts_id_seq OWNED BY public.alerts.id;
CREATE VIEW public.job_model_costs AS
 WITH heaviest AS (
         SELECT job_ml_models.job_id,
            max(job_ml_models.cost_weight) AS cost_weight
           FROM public.job_ml_models
          WHERE ((job_ml_models.cost_weight >= (0.000001)::double precision) AND (job_ml_models.cost_weight <= (1000000)::double precision))
          GROUP BY job_ml_models.job_id
        ), weighted AS (
         SELECT l.job_id,
            l."position",
            l.ml_model_id,
            l.cost_weight,
            (round((((100000000)::double precision * l.cost_weight) / h.cost_weight)))::bigint AS weight,
                CASE
                    WHEN (j.cost_usd < (0)::numeric) THEN '-1'::integer
                    ELSE 1
                END AS sign,
            (round((abs(COALESCE(j.cost_usd, (0)::numeric)) * (10000)::numeric)))::bigint AS units
           FROM ((public.jobs j
             JOIN heaviest h ON ((h.job_id = j.id)))
             JOIN public.job_ml_models l ON ((l.job_id = j.id)))
          WHERE ((l.cost_weight >= (0.000001)::double precision) AND (l.cost_weight <= (1000000)::double precision))
        ), divided AS (
         SELECT w.job_id,
            w."position",
            w.ml_model_id,
            w.cost_weight,
            w.weight,
            w.sign,
            w.units,
            (sum(w.weight) OVER (PARTITION BY w.job_id))::bigint AS weights
           FROM weighted w
        ), ranked AS (
         SELECT d.job_id,
            d."position",
            d.ml_model_id,
            d.cost_weight,
            d.weight,
            d.sign,
            d.units,
            d.weights,
            ((d.units * d.weight) / d.weights) AS whole,
            row_number() OVER job AS place,
            (d.units - (sum(((d.units * d.weight) / d.weights)) OVER (job ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))::bigint) AS left_over
           FROM divided d
          WINDOW job AS (PARTITION BY d.job_id ORDER BY ((d.units * d.weight) % d.weights) DESC, d."position")
        )
 SELECT ranked.job_id,
    ranked."position",
    ranked.ml_model_id,
    ranked.cost_weight,
    (ranked.sign * (ranked.whole +
        CASE
            WHEN (ranked.place <= ranked.left_over) THEN 1
            ELSE 0
        END)) AS share_units,
    round((((ranked.sign * (ranked.whole +
        CASE
            WHEN (ranked.place <= ranked.left_over) THEN 1
            ELSE 0
        END)))::numeric / 10000.0), 4) AS credits
   FROM ranked
UNION ALL
 SELECT j.id AS job_id,
    NULL::smallint AS "position",
    NULL::bigint AS ml_model_id,
    NULL::double precision AS cost_weight,
    (round((COALESCE(j.cost_usd, (0)::numeric) * (10000)::numeric)))::bigint AS share_units,
    round((COALESCE(j.cost_usd, (0)::numeric) * 1.0), 4) AS credits
   FROM public.jobs j
  WHERE (NOT (EXISTS ( SELECT 1
           FROM public.job_ml_models l
          WHERE ((l.job_id = j.id) AND ((l.cost_weight >= (0.000001)::double precision) AND (l.cost_weight <= (1000000)::double precision))))));
COMMENT ON VIEW public.job_model_costs IS 'A model of a job with its share of the job''s cost; a job without models or weights keeps its cost in one row without.';
COMMENT ON COLUMN public.job_model_costs.job_id IS 'job';
COMMENT ON COLUMN public.job_model_costs."position" IS 'place of the model in the API''s list, from 0; null in the row without a model';
COMMENT ON COLUMN public.job_model_costs.ml_model_id IS 'model; null if no model of the job has a weight above 0';
COMMENT ON COLUMN public.job_model_costs.cost_weight IS 'the model''s weight when the job was first seen with it';
COMMENT ON COLUMN public.job_model_costs.share_units IS 'the share in ten-thousandths of a Credit';
COMMENT ON COLUMN public.job_model_costs.credits IS 'the share in Credits; the shares of a job sum to its cost exactly';
CREATE VIEW public.cost_by_model AS
 SELECT g.month,
    g.ml_model_id,
    m.name AS model,
    t.name AS task,
    g.jobs,
    round((g.units / 10000.0), 4) AS credits
   FROM ((( SELECT o.month,
            c.ml_model_id,
            count(DISTINCT o.job_id) AS jobs,
            sum(c.share_units) AS units
           FROM (public.job_model_costs c
             JOIN public.job_overview o ON ((o.job_id = c.job_id)))
          GROUP BY o.month, c.ml_model_id) g
     LEFT JOIN public.ml_models m ON ((m.id = g.ml_model_id)))
     LEFT JOIN public.ml_tasks t ON ((t.code = m.task)));
COMMENT ON VIEW public.cost_by_model IS 'Credits per month (UTC) and model: a job''s cost shared among its models by their weights at the time.';
COMMENT ON COLUMN public.cost_by_model.month IS 'month in which the jobs count, YYYY-MM';
COMMENT ON COLUMN public.cost_by_model.ml_model_id IS 'model; null for jobs without models or weights';
COMMENT ON COLUMN public.cost_by_model.model IS 'its name';
COMMENT ON COLUMN public.cost_by_model.task IS 'name of its task';
COMMENT ON COLUMN public.cost_by_model.jobs IS 'jobs that used it; a job with two models counts for each';
COMMENT ON COLUMN public.cost_by_model.credits IS 'its share of their cost; sums to jobs.cost_usd exactly';
CREATE TABLE public.field_changes (
    id bigint NOT NULL,
    entity text NOT NULL,
    entity_id bigint NOT NULL,
    field text NOT NULL,
    old_value text,
    new_value text,
    observed_at timestamp with time zone NOT NULL,
    sync_run_id bigint
);
COMMENT ON TABLE public.field_changes IS 'every change after the first sighting of every column that is not volatile; append-only';
COMMENT ON COLUMN public.field_changes.id IS 'number of the change';
COMMENT ON COLUMN public.field_changes.entity IS 'job, input_video, output_video or ml_model';
COMMENT ON COLUMN public.field_changes.entity_id IS 'id of that entity';
COMMENT ON COLUMN public.field_changes.field IS 'column, or ml_models for a job''s list of models';
COMMENT ON COLUMN public.field_changes.old_value IS 'value before, as text; null if there was none';
COMMENT ON COLUMN public.field_changes.new_value IS 'value after, as text; null if there is none';
COMMENT ON COLUMN public.field_changes.observed_at IS 'when the mirror saw the new value (UTC)';
COMMENT ON COLUMN public.field_changes.sync_run_id IS 'run that saw it; null for what an operator did';
CREATE VIEW public.cost_corrections AS
 WITH moved AS (
         SELECT field_changes.id,
            field_changes.entity_id AS job_id,
            field_changes.observed_at,
            field_changes.old_value AS old_cost,
            field_changes.new_value AS new_cost,
            ((round(((COALESCE(field_changes.new_value, '0'::text))::numeric * (10000)::numeric)))::bigint - (round(((COALESCE(field_changes.old_value, '0'::text))::numeric * (10000)::numeric)))::bigint) AS units
           FROM public.field_changes
          WHERE ((field_changes.entity = 'job'::text) AND (field_changes.field = 'cost_usd'::text))
        )
 SELECT moved.id AS field_change_id,
    moved.job_id,
    moved.observed_at,
    moved.old_cost,
    moved.new_cost,
    moved.units,
    round(((moved.units)::numeric / 10000.0), 4) AS credits
   FROM moved;
COMMENT ON VIEW public.cost_corrections IS 'A change of what a job costs after it was first seen.';
COMMENT ON COLUMN public.cost_corrections.field_change_id IS 'number of the change in field_changes';
COMMENT ON COLUMN public.cost_corrections.job_id IS 'job';
COMMENT ON COLUMN public.cost_corrections.observed_at IS 'when the mirror saw it';
COMMENT ON COLUMN public.cost_corrections.old_cost IS 'cost before, as it stands in field_changes; null if upstream stated none';
COMMENT ON COLUMN public.cost_corrections.new_cost IS 'cost after';
COMMENT ON COLUMN public.cost_corrections.units IS 'by how much it moved, in ten-thousandths of a Credit';
COMMENT ON COLUMN public.cost_corrections.credits IS 'the same in Credits';
CREATE VIEW public.cost_ledger AS
 SELECT o.job_id,
    (0)::bigint AS entry,
    'charge'::text AS kind,
    COALESCE(o.finished, o.started, o.first_seen_at) AS booked_at,
    o.day,
    o.month,
    round(((((round((COALESCE(o.cost_usd, (0)::numeric) * (10000)::numeric)))::bigint - COALESCE(c.units, (0)::bigint)))::numeric / 10000.0), 4) AS credits,
    o.preview
   FROM (public.job_overview o
     LEFT JOIN ( SELECT cost_corrections.job_id,
            (sum(cost_corrections.units))::bigint AS units
           FROM public.cost_corrections
          GROUP BY cost_corrections.job_id) c ON ((c.job_id = o.job_id)))
UNION ALL
 SELECT c.job_id,
    c.field_change_id AS entry,
    'correction'::text AS kind,
    c.observed_at AS booked_at,
    ((c.observed_at AT TIME ZONE 'UTC'::text))::date AS day,
    to_char((c.observed_at AT TIME ZONE 'UTC'::text), 'YYYY-MM'::text) AS month,
    c.credits,
    COALESCE(j.preview, false) AS preview
   FROM (public.cost_corrections c
     JOIN public.jobs j ON ((j.id = c.job_id)))
  WHERE (c.units <> 0);
COMMENT ON VIEW public.cost_ledger IS 'A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.';
COMMENT ON COLUMN public.cost_ledger.job_id IS 'job';
COMMENT ON COLUMN public.cost_ledger.entry IS '0 for the charge, else the number in field_changes of the change that corrected it';
COMMENT ON COLUMN public.cost_ledger.kind IS 'charge: what the job cost when it was first seen; correction: by how much a change moved that';
COMMENT ON COLUMN public.cost_ledger.booked_at IS 'charge: when the job finished, else started, else was first seen; correction: when it was seen';
COMMENT ON COLUMN public.cost_ledger.day IS 'day of booked_at (UTC)';
COMMENT ON COLUMN public.cost_ledger.month IS 'its month, YYYY-MM';
COMMENT ON COLUMN public.cost_ledger.credits IS 'the amount; each job has one charge, of 0 if it was without a cost';
COMMENT ON COLUMN public.cost_ledger.preview IS 'whether the job is a free preview: what upstream states as its cost is not charged';
CREATE VIEW public.daily_costs AS
 SELECT job_overview.day,
    count(*) AS jobs,
    round((sum((round((COALESCE(job_overview.credits, (0)::numeric) * (10000)::numeric)))::bigint) / 10000.0), 4) AS credits
   FROM public.job_overview
  WHERE (NOT job_overview.preview)
  GROUP BY job_overview.day;
COMMENT ON VIEW public.daily_costs IS 'Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.';
COMMENT ON COLUMN public.daily_costs.day IS 'day (UTC)';
COMMENT ON COLUMN public.daily_costs.jobs IS 'jobs that count on it';
COMMENT ON COLUMN public.daily_costs.credits IS 'what they cost; sums to jobs.cost_usd exactly, previews left out';
CREATE TABLE public.data_dictionary (
    table_name text NOT NULL,
    column_name text NOT NULL,
    description text NOT NULL,
    api_path text
);
COMMENT ON TABLE public.data_dictionary IS 'what every table and column holds';
COMMENT ON COLUMN public.data_dictionary.table_name IS 'table';
COMMENT ON COLUMN public.data_dictionary.column_name IS 'column; empty for the table itself';
COMMENT ON COLUMN public.data_dictionary.description IS 'what it holds';
COMMENT ON COLUMN public.data_dictionary.api_path IS 'where in the API''s answer it comes from; null if the mirror states it';
CREATE TABLE public.job_progress_samples (
    job_id bigint NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    processing_progress double precision,
    eta_s double precision
);
COMMENT ON TABLE public.job_progress_samples IS 'progress and ETA while processing; old samples are removed';
COMMENT ON COLUMN public.job_progress_samples.job_id IS 'job';
COMMENT ON COLUMN public.job_progress_samples.observed_at IS 'when the mirror saw it (UTC)';
COMMENT ON COLUMN public.job_progress_samples.processing_progress IS 'ratio from 0 to 1';
COMMENT ON COLUMN public.job_progress_samples.eta_s IS 'estimated seconds to the end';
CREATE VIEW public.eta_accuracy AS
 WITH samples AS (
         SELECT s_1.job_id,
            ((floor(LEAST((9)::double precision, GREATEST((0)::double precision, (s_1.processing_progress * (10)::double precision)))))::integer * 10) AS progress_from,
            s_1.eta_s,
            (EXTRACT(epoch FROM (j.finished - s_1.observed_at)))::double precision AS left_s
           FROM (public.job_progress_samples s_1
             JOIN public.jobs j ON ((j.id = s_1.job_id)))
          WHERE ((j.status = 2) AND (j.finished > s_1.observed_at) AND (s_1.eta_s IS NOT NULL) AND (s_1.processing_progress IS NOT NULL))
        ), summed AS (
         SELECT samples.job_id,
            samples.progress_from,
            count(*) AS samples,
            sum((samples.eta_s - samples.left_s)) AS error_s,
            sum(abs((samples.eta_s - samples.left_s))) AS abs_error_s,
            sum((abs((samples.eta_s - samples.left_s)) / samples.left_s)) AS relative_error
           FROM samples
          GROUP BY samples.job_id, samples.progress_from
        )
 SELECT m.id AS ml_model_id,
    m.name AS model,
    s.progress_from,
    count(DISTINCT s.job_id) AS jobs,
    (sum(s.samples))::bigint AS samples,
    (sum(s.error_s) / (sum(s.samples))::double precision) AS mean_error_s,
    (sum(s.abs_error_s) / (sum(s.samples))::double precision) AS mean_abs_error_s,
    (sum(s.relative_error) / (sum(s.samples))::double precision) AS mean_relative_error
   FROM ((summed s
     JOIN ( SELECT DISTINCT job_ml_models.job_id,
            job_ml_models.ml_model_id
           FROM public.job_ml_models) l ON ((l.job_id = s.job_id)))
     JOIN public.ml_models m ON ((m.id = l.ml_model_id)))
  GROUP BY m.id, m.name, s.progress_from;
COMMENT ON VIEW public.eta_accuracy IS 'How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.';
COMMENT ON COLUMN public.eta_accuracy.ml_model_id IS 'model; a job with two models counts for each';
COMMENT ON COLUMN public.eta_accuracy.model IS 'its name';
COMMENT ON COLUMN public.eta_accuracy.progress_from IS 'progress in percent, lower end of the tenth: 0, 10 ... 90';
COMMENT ON COLUMN public.eta_accuracy.jobs IS 'finished jobs with samples';
COMMENT ON COLUMN public.eta_accuracy.samples IS 'samples';
COMMENT ON COLUMN public.eta_accuracy.mean_error_s IS 'mean of predicted minus true seconds left: above 0 the ETA was too pessimistic';
COMMENT ON COLUMN public.eta_accuracy.mean_abs_error_s IS 'mean of its absolute value';
COMMENT ON COLUMN public.eta_accuracy.mean_relative_error IS 'mean of the absolute error by the true seconds left';
CREATE VIEW public.failure_rates AS
 SELECT o.month,
    l.ml_model_id,
    m.name AS model,
    o.resolution,
    count(*) AS jobs,
    sum(
        CASE
            WHEN (o.status = 2) THEN 1
            ELSE 0
        END) AS finished,
    sum(
        CASE
            WHEN (o.status = '-1'::integer) THEN 1
            ELSE 0
        END) AS failures,
    sum(
        CASE
            WHEN (o.status = '-2'::integer) THEN 1
            ELSE 0
        END) AS cancellations,
    ((sum(
        CASE
            WHEN (o.status = '-1'::integer) THEN 1
            ELSE 0
        END))::double precision / (NULLIF(sum(
        CASE
            WHEN o.is_terminal THEN 1
            ELSE 0
        END), 0))::double precision) AS failure_rate,
    round((sum(
        CASE
            WHEN (o.status = '-1'::integer) THEN (round((COALESCE(o.credits, (0)::numeric) * (10000)::numeric)))::bigint
            ELSE (0)::bigint
        END) / 10000.0), 4) AS credits_failed
   FROM ((public.job_overview o
     LEFT JOIN ( SELECT DISTINCT job_ml_models.job_id,
            job_ml_models.ml_model_id
           FROM public.job_ml_models) l ON ((l.job_id = o.job_id)))
     LEFT JOIN public.ml_models m ON ((m.id = l.ml_model_id)))
  GROUP BY o.month, l.ml_model_id, m.name, o.resolution;
COMMENT ON VIEW public.failure_rates IS 'Jobs, failures and cancellations per month (UTC), model and output resolution; free previews count too.';
COMMENT ON COLUMN public.failure_rates.month IS 'month in which the jobs count, YYYY-MM';
COMMENT ON COLUMN public.failure_rates.ml_model_id IS 'model; null for jobs without one; a job with two models counts for each';
COMMENT ON COLUMN public.failure_rates.model IS 'its name';
COMMENT ON COLUMN public.failure_rates.resolution IS 'output resolution';
COMMENT ON COLUMN public.failure_rates.jobs IS 'jobs, those in flight included';
COMMENT ON COLUMN public.failure_rates.finished IS 'jobs that finished';
COMMENT ON COLUMN public.failure_rates.failures IS 'jobs that failed';
COMMENT ON COLUMN public.failure_rates.cancellations IS 'jobs that were canceled';
COMMENT ON COLUMN public.failure_rates.failure_rate IS 'failures by all that ended, 0 to 1; null if none ended';
COMMENT ON COLUMN public.failure_rates.credits_failed IS 'what the failed jobs cost, as upstream states it';
CREATE SEQUENCE public.field_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.field_changes_id_seq OWNED BY public.field_changes.id;
CREATE TABLE public.mirror_scope (
    kind text NOT NULL,
    value text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.mirror_scope IS 'whose account this mirror belongs to';
COMMENT ON COLUMN public.mirror_scope.kind IS 'origin, input_owner or output_owner';
COMMENT ON COLUMN public.mirror_scope.value IS 'the API''s origin, or an owner whose videos the account''s jobs use';
COMMENT ON COLUMN public.mirror_scope.first_seen_at IS 'when it was first seen (UTC)';
CREATE VIEW public.focus_costs AS
 SELECT l.credits AS "BilledCost",
    COALESCE(('user-'::text || ( SELECT min(mirror_scope.value) AS min
           FROM public.mirror_scope
          WHERE (mirror_scope.kind = 'output_owner'::text))), 'unknown'::text) AS "BillingAccountId",
    NULL::text AS "BillingAccountName",
    'XXX'::text AS "BillingCurrency",
    (((l.month || '-01'::text))::timestamp without time zone AT TIME ZONE 'UTC'::text) AS "BillingPeriodStart",
    ((((l.month || '-01'::text))::timestamp without time zone + '1 mon'::interval) AT TIME ZONE 'UTC'::text) AS "BillingPeriodEnd",
    'Usage'::text AS "ChargeCategory",
        CASE
            WHEN (l.kind = 'correction'::text) THEN 'Correction'::text
            ELSE NULL::text
        END AS "ChargeClass",
    ((
        CASE
            WHEN (l.kind = 'correction'::text) THEN 'Correction of job '::text
            ELSE 'Job '::text
        END || (l.job_id)::text) || COALESCE((': '::text || o.models), ''::text)) AS "ChargeDescription",
    'Usage-Based'::text AS "ChargeFrequency",
    ((l.day)::timestamp without time zone AT TIME ZONE 'UTC'::text) AS "ChargePeriodStart",
    (((l.day + 1))::timestamp without time zone AT TIME ZONE 'UTC'::text) AS "ChargePeriodEnd",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 1
            ELSE NULL::integer
        END AS "ConsumedQuantity",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 'Jobs'::text
            ELSE NULL::text
        END AS "ConsumedUnit",
    l.credits AS "ContractedCost",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 1.0
            ELSE NULL::numeric
        END AS "ContractedUnitPrice",
    l.credits AS "EffectiveCost",
    'TensorPix'::text AS "InvoiceIssuerName",
    l.credits AS "ListCost",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 1.0
            ELSE NULL::numeric
        END AS "ListUnitPrice",
    'Standard'::text AS "PricingCategory",
    'Credits'::text AS "PricingCurrency",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 1.0
            ELSE NULL::numeric
        END AS "PricingCurrencyContractedUnitPrice",
    l.credits AS "PricingCurrencyEffectiveCost",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 1.0
            ELSE NULL::numeric
        END AS "PricingCurrencyListUnitPrice",
        CASE
            WHEN (l.kind = 'charge'::text) THEN l.credits
            ELSE NULL::numeric
        END AS "PricingQuantity",
        CASE
            WHEN (l.kind = 'charge'::text) THEN 'Credits'::text
            ELSE NULL::text
        END AS "PricingUnit",
    'TensorPix'::text AS "ProviderName",
    'TensorPix'::text AS "PublisherName",
    ('job-'::text || (l.job_id)::text) AS "ResourceId",
    o.input_name AS "ResourceName",
    'Job'::text AS "ResourceType",
    'Media'::text AS "ServiceCategory",
    'Video Enhancement'::text AS "ServiceName",
    'Content Creation'::text AS "ServiceSubcategory",
    l.job_id AS "x_JobId",
    l.entry AS "x_LedgerEntry"
   FROM (public.cost_ledger l
     JOIN public.job_overview o ON ((o.job_id = l.job_id)));
COMMENT ON VIEW public.focus_costs IS 'A row of cost_ledger in the columns of the FinOps FOCUS specification 1.2; sums to jobs.cost_usd exactly.';
COMMENT ON COLUMN public.focus_costs."BilledCost" IS 'amount in Credits, signed; an account buys Credits beforehand, no national currency is known here';
COMMENT ON COLUMN public.focus_costs."BillingAccountId" IS 'user- and the number of the account''s user; unknown before the first output';
COMMENT ON COLUMN public.focus_costs."BillingAccountName" IS 'always null: the API names no account';
COMMENT ON COLUMN public.focus_costs."BillingCurrency" IS 'XXX, the code of ISO 4217 for no currency: the amounts are Credits, see PricingCurrency';
COMMENT ON COLUMN public.focus_costs."BillingPeriodStart" IS 'first instant of the ledger entry''s month (UTC)';
COMMENT ON COLUMN public.focus_costs."BillingPeriodEnd" IS 'first instant after it';
COMMENT ON COLUMN public.focus_costs."ChargeCategory" IS 'always Usage';
COMMENT ON COLUMN public.focus_costs."ChargeClass" IS 'Correction for a correction: Credits are taken at once, so it corrects what was settled; else null';
COMMENT ON COLUMN public.focus_costs."ChargeDescription" IS 'the job, and its models';
COMMENT ON COLUMN public.focus_costs."ChargeFrequency" IS 'always Usage-Based';
COMMENT ON COLUMN public.focus_costs."ChargePeriodStart" IS 'first instant of the ledger entry''s day (UTC)';
COMMENT ON COLUMN public.focus_costs."ChargePeriodEnd" IS 'first instant after it';
COMMENT ON COLUMN public.focus_costs."ConsumedQuantity" IS '1 job; null for a correction';
COMMENT ON COLUMN public.focus_costs."ConsumedUnit" IS 'Jobs; null for a correction';
COMMENT ON COLUMN public.focus_costs."ContractedCost" IS 'as BilledCost';
COMMENT ON COLUMN public.focus_costs."ContractedUnitPrice" IS '1 per Credit; null for a correction';
COMMENT ON COLUMN public.focus_costs."EffectiveCost" IS 'as BilledCost';
COMMENT ON COLUMN public.focus_costs."InvoiceIssuerName" IS 'always TensorPix';
COMMENT ON COLUMN public.focus_costs."ListCost" IS 'as BilledCost';
COMMENT ON COLUMN public.focus_costs."ListUnitPrice" IS '1 per Credit; null for a correction';
COMMENT ON COLUMN public.focus_costs."PricingCategory" IS 'always Standard';
COMMENT ON COLUMN public.focus_costs."PricingCurrency" IS 'always Credits';
COMMENT ON COLUMN public.focus_costs."PricingCurrencyContractedUnitPrice" IS 'as ContractedUnitPrice';
COMMENT ON COLUMN public.focus_costs."PricingCurrencyEffectiveCost" IS 'as EffectiveCost';
COMMENT ON COLUMN public.focus_costs."PricingCurrencyListUnitPrice" IS 'as ListUnitPrice';
COMMENT ON COLUMN public.focus_costs."PricingQuantity" IS 'Credits charged; null for a correction';
COMMENT ON COLUMN public.focus_costs."PricingUnit" IS 'Credits; null for a correction';
COMMENT ON COLUMN public.focus_costs."ProviderName" IS 'always TensorPix';
COMMENT ON COLUMN public.focus_costs."PublisherName" IS 'always TensorPix';
COMMENT ON COLUMN public.focus_costs."ResourceId" IS 'job- and the number of the job';
COMMENT ON COLUMN public.focus_costs."ResourceName" IS 'name of its input video';
COMMENT ON COLUMN public.focus_costs."ResourceType" IS 'always Job';
COMMENT ON COLUMN public.focus_costs."ServiceCategory" IS 'always Media';
COMMENT ON COLUMN public.focus_costs."ServiceName" IS 'always Video Enhancement';
COMMENT ON COLUMN public.focus_costs."ServiceSubcategory" IS 'always Content Creation';
COMMENT ON COLUMN public.focus_costs."x_JobId" IS 'job';
COMMENT ON COLUMN public.focus_costs."x_LedgerEntry" IS 'entry of cost_ledger: 0 for the charge, else the number of the change';
CREATE TABLE public.job_absences (
    job_id bigint NOT NULL,
    absent_since timestamp with time zone NOT NULL,
    looked_up_at timestamp with time zone,
    answer text,
    confirmed_at timestamp with time zone
);
COMMENT ON TABLE public.job_absences IS 'working notes on jobs that the list lacks; removed when a job is listed again';
COMMENT ON COLUMN public.job_absences.job_id IS 'job';
COMMENT ON COLUMN public.job_absences.absent_since IS 'when a certified walk first lacked the job (UTC)';
COMMENT ON COLUMN public.job_absences.looked_up_at IS 'when the job was last asked for by id (UTC)';
COMMENT ON COLUMN public.job_absences.answer IS 'what the API answered: found, not found, or why it could not be told';
COMMENT ON COLUMN public.job_absences.confirmed_at IS 'when an operator allowed the mirror to mark it gone (UTC)';
CREATE TABLE public.quarantined_jobs (
    id bigint NOT NULL,
    job_id bigint,
    reason text NOT NULL,
    payload text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    sync_run_id bigint NOT NULL,
    resolved_at timestamp with time zone
);
COMMENT ON TABLE public.quarantined_jobs IS 'payloads, whole, of which something could not be mirrored';
COMMENT ON COLUMN public.quarantined_jobs.id IS 'number of the entry';
COMMENT ON COLUMN public.quarantined_jobs.job_id IS 'job, as far as readable; null if not';
COMMENT ON COLUMN public.quarantined_jobs.reason IS 'what could not be mirrored and why';
COMMENT ON COLUMN public.quarantined_jobs.payload IS 'the item as received, JSON in ASCII, query strings of URLs removed';
COMMENT ON COLUMN public.quarantined_jobs.first_seen_at IS 'when the mirror first received it (UTC)';
COMMENT ON COLUMN public.quarantined_jobs.last_seen_at IS 'when the mirror last received it (UTC)';
COMMENT ON COLUMN public.quarantined_jobs.sync_run_id IS 'run that received it first';
COMMENT ON COLUMN public.quarantined_jobs.resolved_at IS 'when the job was mirrored after all, or was off the list (UTC)';
CREATE TABLE public.sync_runs (
    id bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    certified boolean NOT NULL,
    certificate text,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    requests integer DEFAULT 0 NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    pages integer DEFAULT 0 NOT NULL,
    upstream_count integer DEFAULT 0 NOT NULL,
    jobs_seen integer DEFAULT 0 NOT NULL,
    jobs_inserted integer DEFAULT 0 NOT NULL,
    jobs_updated integer DEFAULT 0 NOT NULL,
    jobs_unchanged integer DEFAULT 0 NOT NULL,
    transitions integer DEFAULT 0 NOT NULL,
    field_changes integer DEFAULT 0 NOT NULL,
    jobs_gone integer DEFAULT 0 NOT NULL,
    jobs_returned integer DEFAULT 0 NOT NULL,
    quarantined integer DEFAULT 0 NOT NULL,
    error text,
    covered boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE public.sync_runs IS 'one row per run of the syncer';
COMMENT ON COLUMN public.sync_runs.id IS 'number of the run';
COMMENT ON COLUMN public.sync_runs.kind IS 'full (a walk of the whole list) or poll';
COMMENT ON COLUMN public.sync_runs.outcome IS 'running, succeeded, failed, interrupted, abandoned';
COMMENT ON COLUMN public.sync_runs.certified IS 'whether the run proved that the mirror held exactly the listed jobs at one instant';
COMMENT ON COLUMN public.sync_runs.certificate IS 'JSON: the numbers of the proof, or the reason there is none';
COMMENT ON COLUMN public.sync_runs.started_at IS 'when the run began (UTC)';
COMMENT ON COLUMN public.sync_runs.finished_at IS 'when the run ended (UTC)';
COMMENT ON COLUMN public.sync_runs.requests IS 'requests sent, retries included';
COMMENT ON COLUMN public.sync_runs.retries IS 'requests sent again after a fault';
COMMENT ON COLUMN public.sync_runs.pages IS 'pages of the list received';
COMMENT ON COLUMN public.sync_runs.upstream_count IS 'how many jobs the API said there are';
COMMENT ON COLUMN public.sync_runs.jobs_seen IS 'distinct jobs received';
COMMENT ON COLUMN public.sync_runs.jobs_inserted IS 'jobs the mirror did not know';
COMMENT ON COLUMN public.sync_runs.jobs_updated IS 'known jobs with a change';
COMMENT ON COLUMN public.sync_runs.jobs_unchanged IS 'known jobs without a change';
COMMENT ON COLUMN public.sync_runs.transitions IS 'status changes recorded, first sightings not counted';
COMMENT ON COLUMN public.sync_runs.field_changes IS 'other changes recorded';
COMMENT ON COLUMN public.sync_runs.jobs_gone IS 'jobs found gone';
COMMENT ON COLUMN public.sync_runs.jobs_returned IS 'jobs listed again after they were not';
COMMENT ON COLUMN public.sync_runs.quarantined IS 'payloads put into quarantine or noted there';
COMMENT ON COLUMN public.sync_runs.error IS 'why the run failed';
COMMENT ON COLUMN public.sync_runs.covered IS 'whether the run saw every job it stands for: all listed ones (full), all in flight (poll)';
CREATE VIEW public.job_durations AS
 WITH looks AS (
         SELECT ( SELECT sync_runs.started_at
                   FROM public.sync_runs
                  WHERE sync_runs.covered
                  ORDER BY sync_runs.id DESC
                 LIMIT 1) AS seen_at
        ), visits AS (
         SELECT h.job_id,
            h.to_status AS status,
            COALESCE(h.occurred_at, h.not_before,
                CASE
                    WHEN (n.occurred_at = j.started) THEN NULL::timestamp with time zone
                    ELSE j.started
                END) AS entered_first,
            COALESCE(h.occurred_at, h.observed_at) AS entered_last,
                CASE
                    WHEN ((h.to_status = 0) AND (n.to_status <> 1)) THEN n.not_before
                    ELSE COALESCE(n.occurred_at, n.not_before)
                END AS left_first,
            COALESCE(n.occurred_at, n.observed_at) AS left_last,
            (n.seq IS NULL) AS is_open,
            ((j.presence = 'listed'::text) AND (NOT (EXISTS ( SELECT 1
                   FROM public.quarantined_jobs q
                  WHERE ((q.job_id = j.id) AND (q.resolved_at IS NULL)))))) AS is_read
           FROM ((public.job_status_history h
             JOIN public.jobs j ON ((j.id = h.job_id)))
             LEFT JOIN public.job_status_history n ON (((n.job_id = h.job_id) AND (n.seq = (h.seq + 1)))))
        ), bounds AS (
         SELECT v.job_id,
            s.code AS status,
            s.name AS status_name,
            v.is_open,
            GREATEST((0)::numeric, EXTRACT(epoch FROM COALESCE((v.left_first - v.entered_last),
                CASE
                    WHEN v.is_read THEN (l.seen_at - v.entered_last)
                    ELSE NULL::interval
                END))) AS lower_s,
            EXTRACT(epoch FROM (v.left_last - v.entered_first)) AS upper_s
           FROM ((visits v
             JOIN public.job_statuses s ON ((s.code = v.status)))
             CROSS JOIN looks l)
          WHERE (NOT (s.is_terminal AND v.is_open))
        )
 SELECT bounds.job_id,
    bounds.status,
    bounds.status_name,
    count(*) AS visits,
    bool_or(bounds.is_open) AS is_open,
    (round(sum(bounds.lower_s), 3))::double precision AS lower_s,
    (
        CASE
            WHEN (count(bounds.upper_s) = count(*)) THEN round(sum(GREATEST(bounds.lower_s, bounds.upper_s)), 3)
            ELSE NULL::numeric
        END)::double precision AS upper_s
   FROM bounds
  GROUP BY bounds.job_id, bounds.status, bounds.status_name;
COMMENT ON VIEW public.job_durations IS 'Seconds that a job was in a status, lower and upper bound; a status that the mirror never saw it in has no row.';
COMMENT ON COLUMN public.job_durations.job_id IS 'job';
COMMENT ON COLUMN public.job_durations.status IS 'status code; one that is over has no end and no row';
COMMENT ON COLUMN public.job_durations.status_name IS 'status';
COMMENT ON COLUMN public.job_durations.visits IS 'how many times the job was seen in it';
COMMENT ON COLUMN public.job_durations.is_open IS 'whether the job is still in it';
COMMENT ON COLUMN public.job_durations.lower_s IS 'it was in it for at least so many seconds';
COMMENT ON COLUMN public.job_durations.upper_s IS 'and at most for so many; null if that is open';
CREATE SEQUENCE public.quarantined_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.quarantined_jobs_id_seq OWNED BY public.quarantined_jobs.id;
CREATE VIEW public.status_transitions AS
 SELECT h.job_id,
    h.seq,
    h.from_status,
    f.name AS from_name,
    h.to_status,
    t.name AS to_name,
    COALESCE(h.occurred_at, h.observed_at) AS happened_at,
    h.not_before,
    h.observed_at,
    h.occurred_at,
    COALESCE(j.preview, false) AS preview,
    j.description,
    h.sync_run_id
   FROM (((public.job_status_history h
     JOIN public.jobs j ON ((j.id = h.job_id)))
     LEFT JOIN public.job_statuses f ON ((f.code = h.from_status)))
     LEFT JOIN public.job_statuses t ON ((t.code = h.to_status)));
COMMENT ON VIEW public.status_transitions IS 'A status change that the API showed, labelled; the first row of a job is the mirror''s first sight of it.';
COMMENT ON COLUMN public.status_transitions.job_id IS 'job';
COMMENT ON COLUMN public.status_transitions.seq IS 'number of the change within the job, from 1';
COMMENT ON COLUMN public.status_transitions.from_status IS 'status code before; null in the first row';
COMMENT ON COLUMN public.status_transitions.from_name IS 'status before';
COMMENT ON COLUMN public.status_transitions.to_status IS 'status code after';
COMMENT ON COLUMN public.status_transitions.to_name IS 'status after';
COMMENT ON COLUMN public.status_transitions.happened_at IS 'the moment upstream states, else when the mirror saw it';
COMMENT ON COLUMN public.status_transitions.not_before IS 'when the mirror last saw the old status; null in the first row';
COMMENT ON COLUMN public.status_transitions.observed_at IS 'when the mirror saw the new one';
COMMENT ON COLUMN public.status_transitions.occurred_at IS 'the moment upstream states, else null';
COMMENT ON COLUMN public.status_transitions.preview IS 'whether the job is a free preview';
COMMENT ON COLUMN public.status_transitions.description IS 'the job''s free text';
COMMENT ON COLUMN public.status_transitions.sync_run_id IS 'run that saw it';
CREATE VIEW public.storage_usage AS
 SELECT v.id AS output_video_id,
    j.id AS job_id,
    v.name,
    v.size,
    ((v.size)::double precision / (NULLIF(sum(v.size) OVER (), (0)::numeric))::double precision) AS share,
    (sum(v.size) OVER (ORDER BY v.size DESC, v.id ROWS UNBOUNDED PRECEDING))::bigint AS cumulative_size,
    v.created_at,
    v.width,
    v.height,
        CASE
            WHEN (v.framerate > (0.001)::double precision) THEN ((v.n_frames)::double precision / v.framerate)
            ELSE NULL::double precision
        END AS duration_s,
    j.codec,
    COALESCE(j.preview, false) AS preview,
    v.quality_score,
        CASE
            WHEN j.preview THEN 0.0000
            ELSE j.cost_usd
        END AS credits,
    j.description,
    v.file
   FROM (public.output_videos v
     JOIN public.jobs j ON ((j.output_video_id = v.id)))
  WHERE ((v.deleted IS NULL) AND (v.size > 0) AND (v.size < '1000000000000000'::bigint) AND (j.output_video_detached_at IS NULL) AND (j.presence <> 'gone'::text))
  ORDER BY v.size DESC, v.id;
COMMENT ON VIEW public.storage_usage IS 'An output that still takes space upstream, largest first: not deleted, not taken from its job, its job not gone.';
COMMENT ON COLUMN public.storage_usage.output_video_id IS 'output video';
COMMENT ON COLUMN public.storage_usage.job_id IS 'job that made it';
COMMENT ON COLUMN public.storage_usage.name IS 'media name';
COMMENT ON COLUMN public.storage_usage.size IS 'size in bytes';
COMMENT ON COLUMN public.storage_usage.share IS 'its part of all that is listed here, 0 to 1';
COMMENT ON COLUMN public.storage_usage.cumulative_size IS 'bytes of this output and all larger ones';
COMMENT ON COLUMN public.storage_usage.created_at IS 'when it was created upstream';
COMMENT ON COLUMN public.storage_usage.width IS 'width in pixels';
COMMENT ON COLUMN public.storage_usage.height IS 'height in pixels';
COMMENT ON COLUMN public.storage_usage.duration_s IS 'length in seconds';
COMMENT ON COLUMN public.storage_usage.codec IS 'codec that the job asked for';
COMMENT ON COLUMN public.storage_usage.preview IS 'whether it is a free preview';
COMMENT ON COLUMN public.storage_usage.quality_score IS 'rating by the user, 1 worst to 5 best';
COMMENT ON COLUMN public.storage_usage.credits IS 'what the job cost; a preview 0';
COMMENT ON COLUMN public.storage_usage.description IS 'the job''s free text';
COMMENT ON COLUMN public.storage_usage.file IS 'URL without its presigned query string';
CREATE VIEW public.sync_health AS
 WITH runs AS (
         SELECT ( SELECT max(sync_runs.id) AS max
                   FROM public.sync_runs) AS last_id,
            ( SELECT max(sync_runs.id) AS max
                   FROM public.sync_runs
                  WHERE sync_runs.certified) AS certified_id,
            ( SELECT max(sync_runs.id) AS max
                   FROM public.sync_runs
                  WHERE (sync_runs.outcome = 'failed'::text)) AS failed_id
        ), proof AS (
         SELECT (((c.certificate)::json ->> 'counted_at'::text))::timestamp with time zone AS certified_at
           FROM (runs r_1
             LEFT JOIN public.sync_runs c ON ((c.id = r_1.certified_id)))
        )
 SELECT p.certified_at,
    (round(EXTRACT(epoch FROM (now() - p.certified_at)), 3))::double precision AS certified_age_s,
    l.id AS last_run_id,
    l.kind AS last_run_kind,
    l.outcome AS last_run_outcome,
    l.started_at AS last_run_at,
    ( SELECT max(sync_runs.finished_at) AS max
           FROM public.sync_runs
          WHERE (sync_runs.outcome = 'succeeded'::text)) AS last_success_at,
    f.finished_at AS last_failure_at,
    f.error AS last_error,
    ( SELECT count(*) AS count
           FROM public.jobs) AS jobs,
    ( SELECT count(*) AS count
           FROM (public.jobs j
             JOIN public.job_statuses s ON ((s.code = j.status)))
          WHERE ((NOT s.is_terminal) AND (j.presence <> 'gone'::text))) AS in_flight,
    ( SELECT count(*) AS count
           FROM public.jobs
          WHERE (jobs.presence = 'missing'::text)) AS missing,
    ( SELECT count(*) AS count
           FROM (public.job_absences a
             JOIN public.jobs j ON ((j.id = a.job_id)))
          WHERE ((a.answer = ANY (ARRAY['not found'::text, 'not asked'::text, 'restored'::text])) AND (a.confirmed_at IS NULL) AND (j.presence = 'missing'::text))) AS waiting_for_operator,
    ( SELECT count(*) AS count
           FROM public.quarantined_jobs
          WHERE (quarantined_jobs.resolved_at IS NULL)) AS quarantined
   FROM (((runs r
     CROSS JOIN proof p)
     LEFT JOIN public.sync_runs l ON ((l.id = r.last_id)))
     LEFT JOIN public.sync_runs f ON ((f.id = r.failed_id)));
COMMENT ON VIEW public.sync_health IS 'How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.';
COMMENT ON COLUMN public.sync_health.certified_at IS 'the last instant at which the mirror is proven to have held exactly the listed jobs; null: never';
COMMENT ON COLUMN public.sync_health.certified_age_s IS 'seconds since then, on the database''s clock';
COMMENT ON COLUMN public.sync_health.last_run_id IS 'newest run; null if there was none';
COMMENT ON COLUMN public.sync_health.last_run_kind IS 'full or poll';
COMMENT ON COLUMN public.sync_health.last_run_outcome IS 'running, succeeded, failed, interrupted or abandoned';
COMMENT ON COLUMN public.sync_health.last_run_at IS 'when it began';
COMMENT ON COLUMN public.sync_health.last_success_at IS 'when a run last ended well';
COMMENT ON COLUMN public.sync_health.last_failure_at IS 'when a run last failed';
COMMENT ON COLUMN public.sync_health.last_error IS 'why it failed';
COMMENT ON COLUMN public.sync_health.jobs IS 'jobs in the mirror, gone ones included';
COMMENT ON COLUMN public.sync_health.in_flight IS 'jobs that are not over and not gone';
COMMENT ON COLUMN public.sync_health.missing IS 'jobs that the list lacks without an explanation yet';
COMMENT ON COLUMN public.sync_health.waiting_for_operator IS 'those of them that wait for tpmirror gone confirm or restore';
COMMENT ON COLUMN public.sync_health.quarantined IS 'payloads that could not be mirrored, or not whole, and are not resolved';
CREATE SEQUENCE public.sync_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sync_runs_id_seq OWNED BY public.sync_runs.id;
CREATE VIEW public.videos AS
 SELECT 'input'::text AS kind,
    input_videos.id AS video_id,
    NULL::bigint AS job_id,
    input_videos.name,
    input_videos.owner,
    input_videos.width,
    input_videos.height,
    (((input_videos.width)::double precision * (input_videos.height)::double precision) / (1000000)::double precision) AS megapixels,
    input_videos.n_frames,
    input_videos.framerate,
        CASE
            WHEN (input_videos.framerate > (0.001)::double precision) THEN ((input_videos.n_frames)::double precision / input_videos.framerate)
            ELSE NULL::double precision
        END AS duration_s,
    input_videos.size,
    input_videos.bitrate,
    input_videos.codec_id,
    input_videos.bit_depth,
    input_videos.chroma_subsampling,
    input_videos.color_space,
    NULL::integer AS quality_score,
    input_videos.created_at,
    NULL::timestamp with time zone AS deleted_at,
    input_videos.file,
    input_videos.first_seen_at,
    input_videos.changed_at
   FROM public.input_videos
UNION ALL
 SELECT 'output'::text AS kind,
    output_videos.id AS video_id,
    output_videos.job_id,
    output_videos.name,
    (output_videos.owner)::text AS owner,
    output_videos.width,
    output_videos.height,
    (((output_videos.width)::double precision * (output_videos.height)::double precision) / (1000000)::double precision) AS megapixels,
    output_videos.n_frames,
    output_videos.framerate,
        CASE
            WHEN (output_videos.framerate > (0.001)::double precision) THEN ((output_videos.n_frames)::double precision / output_videos.framerate)
            ELSE NULL::double precision
        END AS duration_s,
    output_videos.size,
    output_videos.bitrate,
    output_videos.codec_id,
    output_videos.bit_depth,
    output_videos.chroma_subsampling,
    output_videos.color_space,
    output_videos.quality_score,
    output_videos.created_at,
    output_videos.deleted AS deleted_at,
    output_videos.file,
    output_videos.first_seen_at,
    output_videos.changed_at
   FROM public.output_videos;
COMMENT ON VIEW public.videos IS 'A video of either kind; an id may stand twice, once as an input and once as an output.';
COMMENT ON COLUMN public.videos.kind IS 'input or output';
COMMENT ON COLUMN public.videos.video_id IS 'id, unique within its kind';
COMMENT ON COLUMN public.videos.job_id IS 'job that made it; null for inputs, which may serve many jobs';
COMMENT ON COLUMN public.videos.name IS 'media name';
COMMENT ON COLUMN public.videos.owner IS 'inputs: e-mail address (personal data), outputs: user id';
COMMENT ON COLUMN public.videos.width IS 'width in pixels';
COMMENT ON COLUMN public.videos.height IS 'height in pixels';
COMMENT ON COLUMN public.videos.megapixels IS 'millions of pixels per frame';
COMMENT ON COLUMN public.videos.n_frames IS 'number of frames';
COMMENT ON COLUMN public.videos.framerate IS 'frames per second';
COMMENT ON COLUMN public.videos.duration_s IS 'length in seconds';
COMMENT ON COLUMN public.videos.size IS 'size in bytes';
COMMENT ON COLUMN public.videos.bitrate IS 'bits per second';
COMMENT ON COLUMN public.videos.codec_id IS 'codec as MediaInfo names it';
COMMENT ON COLUMN public.videos.bit_depth IS 'bits per sample';
COMMENT ON COLUMN public.videos.chroma_subsampling IS 'for example 4:2:0';
COMMENT ON COLUMN public.videos.color_space IS 'for example YUV';
COMMENT ON COLUMN public.videos.quality_score IS 'rating of an output, 1 worst to 5 best';
COMMENT ON COLUMN public.videos.created_at IS 'when it was created upstream';
COMMENT ON COLUMN public.videos.deleted_at IS 'when an output was deleted upstream; null if it was not';
COMMENT ON COLUMN public.videos.file IS 'URL without its presigned query string';
COMMENT ON COLUMN public.videos.first_seen_at IS 'when the mirror first saw it';
COMMENT ON COLUMN public.videos.changed_at IS 'when the mirror last saw it change';
CREATE TABLE public.writer_lease (
    scope text NOT NULL,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.writer_lease IS 'who may write';
COMMENT ON COLUMN public.writer_lease.scope IS 'what is held; one row, mirror';
COMMENT ON COLUMN public.writer_lease.epoch IS 'grows with every holder; a writer with an older epoch writes nothing';
COMMENT ON COLUMN public.writer_lease.holder IS 'host, process id and start of the writer';
COMMENT ON COLUMN public.writer_lease.expires_at IS 'until when it is held, on the database''s clock (UTC)';
ALTER TABLE ONLY public.alerts ALTER COLUMN id SET DEFAULT nextval('public.alerts_id_seq'::regclass);
ALTER TABLE ONLY public.field_changes ALTER COLUMN id SET DEFAULT nextval('public.field_changes_id_seq'::regclass);
ALTER TABLE ONLY public.quarantined_jobs ALTER COLUMN id SET DEFAULT nextval('public.quarantined_jobs_id_seq'::regclass);
ALTER TABLE ONLY public.sync_runs ALTER COLUMN id SET DEFAULT nextval('public.sync_runs_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES
	('0002');
INSERT INTO public.data_dictionary VALUES
	('alerts', '', 'alerts, open and over, and who was told when', NULL),
	('alerts', 'id', 'number of the alert', NULL),
	('alerts', 'code', 'what it is about; of several with one code, one is open at most', NULL),
	('alerts', 'message', 'what is wrong', NULL),
	('alerts', 'remedy', 'what to do about it', NULL),
	('alerts', 'opened_at', 'when it was first so (UTC)', NULL),
	('alerts', 'attempted_at', 'when somebody last set out to tell it (UTC)', NULL),
	('alerts', 'notified_at', 'when it was told (UTC)', NULL),
	('alerts', 'resolved_at', 'when it was over (UTC); events are never over', NULL),
	('alerts', 'recovery_notified_at', 'when it was told that it is over (UTC)', NULL),
	('data_dictionary', '', 'what every table and column holds', NULL),
	('data_dictionary', 'table_name', 'table', NULL),
	('data_dictionary', 'column_name', 'column; empty for the table itself', NULL),
	('data_dictionary', 'description', 'what it holds', NULL),
	('data_dictionary', 'api_path', 'where in the API''s answer it comes from; null if the mirror states it', NULL),
	('input_videos', '', 'videos that jobs read; one may feed many jobs', 'results[].input_video'),
	('input_videos', 'id', 'id of the input video; a sequence of its own, collides with output_videos.id', 'results[].input_video.id'),
	('input_videos', 'name', 'media name', 'results[].input_video.name'),
	('input_videos', 'width', 'width in pixels', 'results[].input_video.width'),
	('input_videos', 'height', 'height in pixels', 'results[].input_video.height'),
	('input_videos', 'created_at', 'when the media was created upstream (UTC)', 'results[].input_video.created_at'),
	('input_videos', 'n_frames', 'number of frames', 'results[].input_video.n_frames'),
	('input_videos', 'framerate', 'frames per second', 'results[].input_video.framerate'),
	('input_videos', 'size', 'size in bytes', 'results[].input_video.size'),
	('input_videos', 'owner', 'e-mail address of the owner (personal data)', 'results[].input_video.owner'),
	('input_videos', 'thumbnail', 'URL of the thumbnail without its query string', 'results[].input_video.thumbnail'),
	('input_videos', 'bitrate', 'bits per second', 'results[].input_video.bitrate'),
	('input_videos', 'codec_id', 'codec as MediaInfo names it, for example avc1', 'results[].input_video.codec_id'),
	('input_videos', 'bit_depth', 'bits per sample', 'results[].input_video.bit_depth'),
	('input_videos', 'chroma_subsampling', 'for example 4:2:0', 'results[].input_video.chroma_subsampling'),
	('input_videos', 'color_space', 'for example YUV', 'results[].input_video.color_space'),
	('input_videos', 'file', 'URL of the media without its presigned query string; null if not stored upstream', 'results[].input_video.file'),
	('input_videos', 'external_url', 'source of a job made from a URL, without its query string', 'results[].input_video.external_url'),
	('input_videos', 'extra', 'JSON object of the keys upstream sent that have no column; null when none', NULL),
	('input_videos', 'first_seen_at', 'when the mirror first saw this row (UTC)', NULL),
	('input_videos', 'changed_at', 'when the mirror last saw a column of this row change (UTC)', NULL),
	('job_statuses', '', 'labels of jobs.status', NULL),
	('job_statuses', 'code', 'status code of the API', NULL),
	('job_statuses', 'name', 'label; unknown (N) for a code that this version does not know', NULL),
	('job_statuses', 'is_terminal', 'whether a job in this status is over', NULL),
	('mirror_scope', '', 'whose account this mirror belongs to', NULL),
	('mirror_scope', 'kind', 'origin, input_owner or output_owner', NULL),
	('mirror_scope', 'value', 'the API''s origin, or an owner whose videos the account''s jobs use', NULL),
	('mirror_scope', 'first_seen_at', 'when it was first seen (UTC)', NULL),
	('ml_models', '', 'models as the newest job that used each shows them', 'results[].ml_models[]'),
	('ml_models', 'id', 'id of the model', 'results[].ml_models[].id'),
	('ml_models', 'name', 'model name', 'results[].ml_models[].name'),
	('ml_models', 'task', 'task (filter) code, see ml_tasks', 'results[].ml_models[].task'),
	('ml_models', 'cost_weight', 'impact on a job''s cost, as the newest job that used the model shows it', 'results[].ml_models[].cost_weight'),
	('ml_models', 'upscale_factor', '2 turns 512x512 into 1024x1024', 'results[].ml_models[].upscale_factor'),
	('ml_models', 'fps_boost_factor', 'deprecated upstream, see jobs.fps_interpolation_factor', 'results[].ml_models[].fps_boost_factor'),
	('ml_models', 'priority', 'order of execution, lower is earlier', 'results[].ml_models[].priority'),
	('ml_models', 'max_resolution', 'largest input the model supports, in pixels', 'results[].ml_models[].max_resolution'),
	('ml_models', 'extra', 'JSON object of the keys upstream sent that have no column; null when none', NULL),
	('ml_models', 'first_seen_at', 'when the mirror first saw this row (UTC)', NULL),
	('ml_models', 'changed_at', 'when the mirror last saw a column of this row change (UTC)', NULL),
	('ml_tasks', '', 'labels of ml_models.task', NULL),
	('ml_tasks', 'code', 'task code of the API', NULL),
	('ml_tasks', 'name', 'label; unknown (N) for a code that this version does not know', NULL),
	('output_resolutions', '', 'labels of jobs.output_resolution', NULL),
	('output_resolutions', 'code', 'output resolution code of the API: width in pixels, -1 for none', NULL),
	('output_resolutions', 'name', 'label; unknown (N) for a code that this version does not know', NULL),
	('output_videos', '', 'enhanced videos that jobs made', 'results[].output_video'),
	('output_videos', 'id', 'id of the enhanced video; a sequence of its own, collides with input_videos.id', 'results[].output_video.id'),
	('output_videos', 'job_id', 'job that made it, as upstream states it', 'results[].output_video.job_id'),
	('output_videos', 'preview_before', 'URL of the preview before, without query string', 'results[].output_video.preview_videos.before_video'),
	('output_videos', 'preview_after', 'URL of the preview after, without query string', 'results[].output_video.preview_videos.after_video'),
	('output_videos', 'name', 'media name', 'results[].output_video.name'),
	('output_videos', 'width', 'width in pixels', 'results[].output_video.width'),
	('output_videos', 'height', 'height in pixels', 'results[].output_video.height'),
	('output_videos', 'created_at', 'when the media was created upstream (UTC)', 'results[].output_video.created_at'),
	('output_videos', 'n_frames', 'number of frames', 'results[].output_video.n_frames'),
	('output_videos', 'framerate', 'frames per second', 'results[].output_video.framerate'),
	('output_videos', 'size', 'size in bytes', 'results[].output_video.size'),
	('output_videos', 'owner', 'user id of the owner', 'results[].output_video.owner'),
	('output_videos', 'thumbnail', 'URL of the thumbnail without its query string', 'results[].output_video.thumbnail'),
	('output_videos', 'bitrate', 'bits per second', 'results[].output_video.bitrate'),
	('output_videos', 'codec_id', 'codec as MediaInfo names it, for example avc1', 'results[].output_video.codec_id'),
	('output_videos', 'bit_depth', 'bits per sample', 'results[].output_video.bit_depth'),
	('output_videos', 'chroma_subsampling', 'for example 4:2:0', 'results[].output_video.chroma_subsampling'),
	('output_videos', 'color_space', 'for example YUV', 'results[].output_video.color_space'),
	('output_videos', 'file', 'URL of the media without its presigned query string; null if not stored upstream', 'results[].output_video.file'),
	('output_videos', 'deleted', 'when the media was deleted upstream (UTC); null if it was not', 'results[].output_video.deleted'),
	('output_videos', 'quality_score', 'rating by the user, 1 worst to 5 best; null if not rated', 'results[].output_video.quality_score'),
	('output_videos', 'extra', 'JSON object of the keys upstream sent that have no column; null when none', NULL),
	('output_videos', 'first_seen_at', 'when the mirror first saw this row (UTC)', NULL),
	('output_videos', 'changed_at', 'when the mirror last saw a column of this row change (UTC)', NULL),
	('sync_runs', '', 'one row per run of the syncer', NULL),
	('sync_runs', 'id', 'number of the run', NULL),
	('sync_runs', 'kind', 'full (a walk of the whole list) or poll', NULL),
	('sync_runs', 'outcome', 'running, succeeded, failed, interrupted, abandoned', NULL),
	('sync_runs', 'certified', 'whether the run proved that the mirror held exactly the listed jobs at one instant', NULL),
	('sync_runs', 'certificate', 'JSON: the numbers of the proof, or the reason there is none', NULL),
	('sync_runs', 'started_at', 'when the run began (UTC)', NULL),
	('sync_runs', 'finished_at', 'when the run ended (UTC)', NULL),
	('sync_runs', 'requests', 'requests sent, retries included', NULL),
	('sync_runs', 'retries', 'requests sent again after a fault', NULL),
	('sync_runs', 'pages', 'pages of the list received', NULL),
	('sync_runs', 'upstream_count', 'how many jobs the API said there are', NULL),
	('sync_runs', 'jobs_seen', 'distinct jobs received', NULL),
	('sync_runs', 'jobs_inserted', 'jobs the mirror did not know', NULL),
	('sync_runs', 'jobs_updated', 'known jobs with a change', NULL),
	('sync_runs', 'jobs_unchanged', 'known jobs without a change', NULL),
	('sync_runs', 'transitions', 'status changes recorded, first sightings not counted', NULL),
	('sync_runs', 'field_changes', 'other changes recorded', NULL),
	('sync_runs', 'jobs_gone', 'jobs found gone', NULL),
	('sync_runs', 'jobs_returned', 'jobs listed again after they were not', NULL),
	('sync_runs', 'quarantined', 'payloads put into quarantine or noted there', NULL),
	('sync_runs', 'error', 'why the run failed', NULL),
	('sync_runs', 'covered', 'whether the run saw every job it stands for: all listed ones (full), all in flight (poll)', NULL),
	('writer_lease', '', 'who may write', NULL),
	('writer_lease', 'scope', 'what is held; one row, mirror', NULL),
	('writer_lease', 'epoch', 'grows with every holder; a writer with an older epoch writes nothing', NULL),
	('writer_lease', 'holder', 'host, process id and start of the writer', NULL),
	('writer_lease', 'expires_at', 'until when it is held, on the database''s clock (UTC)', NULL),
	('field_changes', '', 'every change after the first sighting of every column that is not volatile; append-only', NULL),
	('field_changes', 'id', 'number of the change', NULL),
	('field_changes', 'entity', 'job, input_video, output_video or ml_model', NULL),
	('field_changes', 'entity_id', 'id of that entity', NULL),
	('field_changes', 'field', 'column, or ml_models for a job''s list of models', NULL),
	('field_changes', 'old_value', 'value before, as text; null if there was none', NULL),
	('field_changes', 'new_value', 'value after, as text; null if there is none', NULL),
	('field_changes', 'observed_at', 'when the mirror saw the new value (UTC)', NULL),
	('field_changes', 'sync_run_id', 'run that saw it; null for what an operator did', NULL),
	('jobs', '', 'one row per job, as last seen; never deleted', 'results[]'),
	('jobs', 'id', 'id of the job', 'results[].id'),
	('jobs', 'status', '0 queued, 1 processing, 2 finished, -1 failed, -2 canceled; see job_statuses', 'results[].status'),
	('jobs', 'preview', 'free preview: not charged, watermarked, a short segment only', 'results[].preview'),
	('jobs', 'description', 'free text', 'results[].description'),
	('jobs', 'cost_usd', 'cost in Credits, despite its upstream name; exact to 4 decimals', 'results[].cost_usd'),
	('jobs', 'eta_s', 'estimated seconds to the end; volatile, not in field_changes', 'results[].eta_s'),
	('jobs', 'processing_progress', 'ratio from 0 to 1; volatile, not in field_changes', 'results[].processing_progress'),
	('jobs', 'started', 'upstream''s start time (UTC); stated for queued jobs too, so probably creation', 'results[].started'),
	('jobs', 'finished', 'upstream''s finish time (UTC)', 'results[].finished'),
	('jobs', 'input_video_id', 'input video; stays when upstream detaches it', 'results[].input_video.id'),
	('jobs', 'output_video_id', 'enhanced video; stays when upstream detaches it', 'results[].output_video.id'),
	('jobs', 'grain', 'film grain added, 0 to 1', 'results[].grain'),
	('jobs', 'codec', 'codec of the output: libx264, libx265, prores_ks', 'results[].codec'),
	('jobs', 'output_resolution', 'output resolution code, see output_resolutions', 'results[].output_resolution'),
	('jobs', 'comparison', 'whether the output shows original and enhanced side by side', 'results[].comparison'),
	('jobs', 'stabilization_smoothing', 'strength of stabilization', 'results[].stabilization_smoothing'),
	('jobs', 'fps_interpolation_factor', '1.5 gives 1.5 times the frames; 1 leaves them', 'results[].fps_interpolation_factor'),
	('jobs', 'playback_speed', '0.5 is half speed', 'results[].playback_speed'),
	('jobs', 'sharpen_strength', 'strength of sharpening', 'results[].sharpen_strength'),
	('jobs', 'start_frame', 'first frame enhanced', 'results[].start_frame'),
	('jobs', 'end_frame', 'last frame enhanced', 'results[].end_frame'),
	('jobs', 'extra', 'JSON object of the keys upstream sent that have no column; null when none', NULL),
	('jobs', 'first_seen_at', 'when the mirror first saw this row (UTC)', NULL),
	('jobs', 'changed_at', 'when the mirror last saw a column of this row change (UTC)', NULL),
	('jobs', 'presence', 'listed, missing (absent from a certified walk, not yet explained), unlisted (answers by id only), gone (404)', NULL),
	('jobs', 'gone_at', 'when the job was found gone (UTC); null unless presence is gone', NULL),
	('jobs', 'input_video_detached_at', 'since when upstream shows the job without the input video it had (UTC)', NULL),
	('jobs', 'output_video_detached_at', 'since when upstream shows the job without the output video it had (UTC)', NULL),
	('jobs', 'fingerprint', 'hash of the last answer without the queries of its URLs: equal means no news; working column', NULL),
	('videos', 'color_space', 'for example YUV', NULL),
	('quarantined_jobs', '', 'payloads, whole, of which something could not be mirrored', NULL),
	('quarantined_jobs', 'id', 'number of the entry', NULL),
	('quarantined_jobs', 'job_id', 'job, as far as readable; null if not', NULL),
	('quarantined_jobs', 'reason', 'what could not be mirrored and why', NULL),
	('quarantined_jobs', 'payload', 'the item as received, JSON in ASCII, query strings of URLs removed', NULL),
	('quarantined_jobs', 'first_seen_at', 'when the mirror first received it (UTC)', NULL),
	('quarantined_jobs', 'last_seen_at', 'when the mirror last received it (UTC)', NULL),
	('quarantined_jobs', 'sync_run_id', 'run that received it first', NULL),
	('quarantined_jobs', 'resolved_at', 'when the job was mirrored after all, or was off the list (UTC)', NULL),
	('job_absences', '', 'working notes on jobs that the list lacks; removed when a job is listed again', NULL),
	('job_absences', 'job_id', 'job', NULL),
	('job_absences', 'absent_since', 'when a certified walk first lacked the job (UTC)', NULL),
	('job_absences', 'looked_up_at', 'when the job was last asked for by id (UTC)', NULL),
	('job_absences', 'answer', 'what the API answered: found, not found, or why it could not be told', NULL),
	('job_absences', 'confirmed_at', 'when an operator allowed the mirror to mark it gone (UTC)', NULL),
	('job_ml_models', '', 'which models a job uses, in the API''s order', NULL),
	('job_ml_models', 'job_id', 'job', NULL),
	('job_ml_models', 'position', 'place in the API''s list, from 0', NULL),
	('job_ml_models', 'ml_model_id', 'model', NULL),
	('job_ml_models', 'cost_weight', 'the model''s cost weight when the job was first seen with it', NULL),
	('job_progress_samples', '', 'progress and ETA while processing; old samples are removed', NULL),
	('job_progress_samples', 'job_id', 'job', NULL),
	('job_progress_samples', 'observed_at', 'when the mirror saw it (UTC)', NULL),
	('job_progress_samples', 'processing_progress', 'ratio from 0 to 1', NULL),
	('job_progress_samples', 'eta_s', 'estimated seconds to the end', NULL),
	('job_status_history', '', 'one row per status change that the API showed; append-only', NULL),
	('job_status_history', 'job_id', 'job', NULL),
	('job_status_history', 'seq', 'number of the change within the job, from 1', NULL),
	('job_status_history', 'from_status', 'status before; null in the first row', NULL),
	('job_status_history', 'to_status', 'status after', NULL),
	('job_status_history', 'not_before', 'when the mirror last saw the old status (UTC); null in the first row', NULL),
	('job_status_history', 'observed_at', 'when the mirror saw the new status (UTC)', NULL),
	('job_status_history', 'occurred_at', 'the moment upstream states for it (UTC), else null', NULL),
	('job_status_history', 'sync_run_id', 'run that saw it', NULL),
	('job_status_history', 'row_hash', 'SHA-256 of the previous entry''s hash and this row, hex', NULL),
	('job_status_history', 'entry', 'place in the hash chain, from 1, no gaps', NULL),
	('active_jobs', '', 'A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.', NULL),
	('active_jobs', 'job_id', 'job', NULL),
	('active_jobs', 'status', 'status code', NULL),
	('active_jobs', 'status_name', 'status', NULL),
	('active_jobs', 'presence', 'listed, missing or unlisted', NULL),
	('active_jobs', 'preview', 'free preview', NULL),
	('active_jobs', 'description', 'free text', NULL),
	('active_jobs', 'input_name', 'name of the input video', NULL),
	('active_jobs', 'models', 'names of the models, separated by commas', NULL),
	('active_jobs', 'resolution', 'output resolution', NULL),
	('active_jobs', 'credits', 'what it costs; a preview 0', NULL),
	('active_jobs', 'started', 'upstream''s start time, probably the creation', NULL),
	('active_jobs', 'waiting_s', 'seconds since then, on the database''s clock', NULL),
	('active_jobs', 'status_since', 'when upstream says that it came into its status, else when the mirror saw it there', NULL),
	('active_jobs', 'status_s', 'seconds since then', NULL),
	('active_jobs', 'processing_progress', 'ratio from 0 to 1, as last seen', NULL),
	('active_jobs', 'eta_s', 'estimated seconds to the end, as last seen', NULL),
	('cost_by_model', '', 'Credits per month (UTC) and model: a job''s cost shared among its models by their weights at the time.', NULL),
	('cost_by_model', 'month', 'month in which the jobs count, YYYY-MM', NULL),
	('cost_by_model', 'ml_model_id', 'model; null for jobs without models or weights', NULL),
	('cost_by_model', 'model', 'its name', NULL),
	('cost_by_model', 'task', 'name of its task', NULL),
	('cost_by_model', 'jobs', 'jobs that used it; a job with two models counts for each', NULL),
	('cost_by_model', 'credits', 'its share of their cost; sums to jobs.cost_usd exactly', NULL),
	('cost_corrections', '', 'A change of what a job costs after it was first seen.', NULL),
	('cost_corrections', 'field_change_id', 'number of the change in field_changes', NULL),
	('cost_corrections', 'job_id', 'job', NULL),
	('cost_corrections', 'observed_at', 'when the mirror saw it', NULL),
	('cost_corrections', 'old_cost', 'cost before, as it stands in field_changes; null if upstream stated none', NULL),
	('cost_corrections', 'new_cost', 'cost after', NULL),
	('cost_corrections', 'units', 'by how much it moved, in ten-thousandths of a Credit', NULL),
	('cost_corrections', 'credits', 'the same in Credits', NULL),
	('cost_ledger', '', 'A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.', NULL),
	('cost_ledger', 'job_id', 'job', NULL),
	('cost_ledger', 'entry', '0 for the charge, else the number in field_changes of the change that corrected it', NULL),
	('cost_ledger', 'kind', 'charge: what the job cost when it was first seen; correction: by how much a change moved that', NULL),
	('cost_ledger', 'booked_at', 'charge: when the job finished, else started, else was first seen; correction: when it was seen', NULL),
	('cost_ledger', 'day', 'day of booked_at (UTC)', NULL),
	('cost_ledger', 'month', 'its month, YYYY-MM', NULL),
	('cost_ledger', 'credits', 'the amount; each job has one charge, of 0 if it was without a cost', NULL),
	('cost_ledger', 'preview', 'whether the job is a free preview: what upstream states as its cost is not charged', NULL),
	('daily_costs', '', 'Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.', NULL),
	('daily_costs', 'day', 'day (UTC)', NULL),
	('daily_costs', 'jobs', 'jobs that count on it', NULL),
	('daily_costs', 'credits', 'what they cost; sums to jobs.cost_usd exactly, previews left out', NULL),
	('eta_accuracy', '', 'How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.', NULL),
	('eta_accuracy', 'ml_model_id', 'model; a job with two models counts for each', NULL),
	('eta_accuracy', 'model', 'its name', NULL),
	('videos', 'quality_score', 'rating of an output, 1 worst to 5 best', NULL),
	('eta_accuracy', 'progress_from', 'progress in percent, lower end of the tenth: 0, 10 ... 90', NULL),
	('eta_accuracy', 'jobs', 'finished jobs with samples', NULL),
	('eta_accuracy', 'samples', 'samples', NULL),
	('eta_accuracy', 'mean_error_s', 'mean of predicted minus true seconds left: above 0 the ETA was too pessimistic', NULL),
	('eta_accuracy', 'mean_abs_error_s', 'mean of its absolute value', NULL),
	('eta_accuracy', 'mean_relative_error', 'mean of the absolute error by the true seconds left', NULL),
	('failure_rates', '', 'Jobs, failures and cancellations per month (UTC), model and output resolution; free previews count too.', NULL),
	('failure_rates', 'month', 'month in which the jobs count, YYYY-MM', NULL),
	('failure_rates', 'ml_model_id', 'model; null for jobs without one; a job with two models counts for each', NULL),
	('failure_rates', 'model', 'its name', NULL),
	('failure_rates', 'resolution', 'output resolution', NULL),
	('failure_rates', 'jobs', 'jobs, those in flight included', NULL),
	('failure_rates', 'finished', 'jobs that finished', NULL),
	('failure_rates', 'failures', 'jobs that failed', NULL),
	('failure_rates', 'cancellations', 'jobs that were canceled', NULL),
	('failure_rates', 'failure_rate', 'failures by all that ended, 0 to 1; null if none ended', NULL),
	('failure_rates', 'credits_failed', 'what the failed jobs cost, as upstream states it', NULL),
	('focus_costs', '', 'A row of cost_ledger in the columns of the FinOps FOCUS specification 1.2; sums to jobs.cost_usd exactly.', NULL),
	('focus_costs', 'BilledCost', 'amount in Credits, signed; an account buys Credits beforehand, no national currency is known here', NULL),
	('focus_costs', 'BillingAccountId', 'user- and the number of the account''s user; unknown before the first output', NULL),
	('focus_costs', 'BillingAccountName', 'always null: the API names no account', NULL),
	('focus_costs', 'BillingCurrency', 'XXX, the code of ISO 4217 for no currency: the amounts are Credits, see PricingCurrency', NULL),
	('focus_costs', 'BillingPeriodStart', 'first instant of the ledger entry''s month (UTC)', NULL),
	('focus_costs', 'BillingPeriodEnd', 'first instant after it', NULL),
	('focus_costs', 'ChargeCategory', 'always Usage', NULL),
	('focus_costs', 'ChargeClass', 'Correction for a correction: Credits are taken at once, so it corrects what was settled; else null', NULL),
	('focus_costs', 'ChargeDescription', 'the job, and its models', NULL),
	('focus_costs', 'ChargeFrequency', 'always Usage-Based', NULL),
	('focus_costs', 'ChargePeriodStart', 'first instant of the ledger entry''s day (UTC)', NULL),
	('focus_costs', 'ChargePeriodEnd', 'first instant after it', NULL),
	('focus_costs', 'ConsumedQuantity', '1 job; null for a correction', NULL),
	('focus_costs', 'ConsumedUnit', 'Jobs; null for a correction', NULL),
	('focus_costs', 'ContractedCost', 'as BilledCost', NULL),
	('focus_costs', 'ContractedUnitPrice', '1 per Credit; null for a correction', NULL),
	('focus_costs', 'EffectiveCost', 'as BilledCost', NULL),
	('focus_costs', 'InvoiceIssuerName', 'always TensorPix', NULL),
	('focus_costs', 'ListCost', 'as BilledCost', NULL),
	('focus_costs', 'ListUnitPrice', '1 per Credit; null for a correction', NULL),
	('focus_costs', 'PricingCategory', 'always Standard', NULL),
	('focus_costs', 'PricingCurrency', 'always Credits', NULL),
	('focus_costs', 'PricingCurrencyContractedUnitPrice', 'as ContractedUnitPrice', NULL),
	('focus_costs', 'PricingCurrencyEffectiveCost', 'as EffectiveCost', NULL),
	('focus_costs', 'PricingCurrencyListUnitPrice', 'as ListUnitPrice', NULL),
	('focus_costs', 'PricingQuantity', 'Credits charged; null for a correction', NULL),
	('focus_costs', 'PricingUnit', 'Credits; null for a correction', NULL),
	('focus_costs', 'ProviderName', 'always TensorPix', NULL),
	('focus_costs', 'PublisherName', 'always TensorPix', NULL),
	('focus_costs', 'ResourceId', 'job- and the number of the job', NULL),
	('focus_costs', 'ResourceName', 'name of its input video', NULL),
	('focus_costs', 'ResourceType', 'always Job', NULL),
	('focus_costs', 'ServiceCategory', 'always Media', NULL),
	('focus_costs', 'ServiceName', 'always Video Enhancement', NULL),
	('focus_costs', 'ServiceSubcategory', 'always Content Creation', NULL),
	('focus_costs', 'x_JobId', 'job', NULL),
	('focus_costs', 'x_LedgerEntry', 'entry of cost_ledger: 0 for the charge, else the number of the change', NULL),
	('job_durations', '', 'Seconds that a job was in a status, lower and upper bound; a status that the mirror never saw it in has no row.', NULL),
	('job_durations', 'job_id', 'job', NULL),
	('job_durations', 'status', 'status code; one that is over has no end and no row', NULL),
	('job_durations', 'status_name', 'status', NULL),
	('job_durations', 'visits', 'how many times the job was seen in it', NULL),
	('job_durations', 'is_open', 'whether the job is still in it', NULL),
	('job_durations', 'lower_s', 'it was in it for at least so many seconds', NULL),
	('job_durations', 'upper_s', 'and at most for so many; null if that is open', NULL),
	('job_model_costs', '', 'A model of a job with its share of the job''s cost; a job without models or weights keeps its cost in one row without.', NULL),
	('job_model_costs', 'job_id', 'job', NULL),
	('job_model_costs', 'position', 'place of the model in the API''s list, from 0; null in the row without a model', NULL),
	('job_model_costs', 'ml_model_id', 'model; null if no model of the job has a weight above 0', NULL),
	('job_model_costs', 'cost_weight', 'the model''s weight when the job was first seen with it', NULL),
	('job_model_costs', 'share_units', 'the share in ten-thousandths of a Credit', NULL),
	('job_model_costs', 'credits', 'the share in Credits; the shares of a job sum to its cost exactly', NULL),
	('job_overview', '', 'A job, everything joined and labelled: names instead of codes, both videos'' main figures, cost and times.', NULL),
	('job_overview', 'job_id', 'job', NULL),
	('job_overview', 'status', 'status code, see job_statuses', NULL),
	('job_overview', 'status_name', 'status', NULL),
	('job_overview', 'is_terminal', 'whether the job is over', NULL),
	('job_overview', 'presence', 'listed, missing, unlisted or gone', NULL),
	('job_overview', 'preview', 'free preview: not charged; false if upstream does not say', NULL),
	('job_overview', 'description', 'free text', NULL),
	('job_overview', 'day', 'day (UTC) on which the job counts: when it finished, else when it started, else when it was first seen', NULL),
	('job_overview', 'month', 'month of that day, YYYY-MM', NULL),
	('job_overview', 'started', 'upstream''s start time, probably the creation', NULL),
	('job_overview', 'finished', 'upstream''s finish time', NULL),
	('job_overview', 'credits', 'what the job counts in every sum: its cost in Credits, 0 for a preview; null if upstream states none', NULL),
	('job_overview', 'cost_usd', 'the cost as upstream states it, in Credits despite its name', NULL),
	('job_overview', 'credits_per_output_minute', 'credits by the minutes of the output video', NULL),
	('job_overview', 'models', 'names of the models in the API''s order, separated by commas', NULL),
	('job_overview', 'tasks', 'names of the models'' tasks, in the same order', NULL),
	('job_overview', 'codec', 'codec of the output', NULL),
	('job_overview', 'resolution', 'output resolution', NULL),
	('job_overview', 'input_video_id', 'input video', NULL),
	('job_overview', 'input_name', 'its name', NULL),
	('job_overview', 'input_owner', 'e-mail address of its owner (personal data)', NULL),
	('job_overview', 'input_width', 'its width in pixels', NULL),
	('job_overview', 'input_height', 'its height in pixels', NULL),
	('job_overview', 'input_megapixels', 'its millions of pixels per frame', NULL),
	('job_overview', 'input_duration_s', 'its length in seconds', NULL),
	('job_overview', 'input_size', 'its size in bytes', NULL),
	('job_overview', 'output_video_id', 'output video', NULL),
	('job_overview', 'output_name', 'its name', NULL),
	('job_overview', 'output_width', 'its width in pixels', NULL),
	('job_overview', 'output_height', 'its height in pixels', NULL),
	('job_overview', 'output_megapixels', 'its millions of pixels per frame', NULL),
	('job_overview', 'output_duration_s', 'its length in seconds', NULL),
	('job_overview', 'output_size', 'its size in bytes', NULL),
	('job_overview', 'output_deleted_at', 'when it was deleted upstream; null if it was not', NULL),
	('job_overview', 'quality_score', 'rating by the user, 1 worst to 5 best', NULL),
	('job_overview', 'queue_s', 'seconds in the queue, the best estimate; null if the mirror did not see it; bounds in job_durations', NULL),
	('job_overview', 'processing_s', 'seconds in processing, likewise', NULL),
	('job_overview', 'turnaround_s', 'seconds from started to finished, as upstream states them', NULL),
	('job_overview', 'processing_progress', 'ratio from 0 to 1', NULL),
	('job_overview', 'eta_s', 'estimated seconds to the end', NULL),
	('job_overview', 'first_seen_at', 'when the mirror first saw the job', NULL),
	('job_overview', 'changed_at', 'when the mirror last saw it change', NULL),
	('status_transitions', '', 'A status change that the API showed, labelled; the first row of a job is the mirror''s first sight of it.', NULL),
	('status_transitions', 'job_id', 'job', NULL),
	('status_transitions', 'seq', 'number of the change within the job, from 1', NULL),
	('status_transitions', 'from_status', 'status code before; null in the first row', NULL),
	('status_transitions', 'from_name', 'status before', NULL),
	('status_transitions', 'to_status', 'status code after', NULL),
	('status_transitions', 'to_name', 'status after', NULL),
	('status_transitions', 'happened_at', 'the moment upstream states, else when the mirror saw it', NULL),
	('status_transitions', 'not_before', 'when the mirror last saw the old status; null in the first row', NULL),
	('status_transitions', 'observed_at', 'when the mirror saw the new one', NULL),
	('status_transitions', 'occurred_at', 'the moment upstream states, else null', NULL),
	('status_transitions', 'preview', 'whether the job is a free preview', NULL),
	('status_transitions', 'description', 'the job''s free text', NULL),
	('status_transitions', 'sync_run_id', 'run that saw it', NULL),
	('storage_usage', '', 'An output that still takes space upstream, largest first: not deleted, not taken from its job, its job not gone.', NULL),
	('storage_usage', 'output_video_id', 'output video', NULL),
	('storage_usage', 'job_id', 'job that made it', NULL),
	('storage_usage', 'name', 'media name', NULL),
	('storage_usage', 'size', 'size in bytes', NULL),
	('storage_usage', 'share', 'its part of all that is listed here, 0 to 1', NULL),
	('storage_usage', 'cumulative_size', 'bytes of this output and all larger ones', NULL),
	('storage_usage', 'created_at', 'when it was created upstream', NULL),
	('storage_usage', 'width', 'width in pixels', NULL),
	('storage_usage', 'height', 'height in pixels', NULL),
	('storage_usage', 'duration_s', 'length in seconds', NULL),
	('storage_usage', 'codec', 'codec that the job asked for', NULL),
	('storage_usage', 'preview', 'whether it is a free preview', NULL),
	('storage_usage', 'quality_score', 'rating by the user, 1 worst to 5 best', NULL),
	('storage_usage', 'credits', 'what the job cost; a preview 0', NULL),
	('storage_usage', 'description', 'the job''s free text', NULL),
	('storage_usage', 'file', 'URL without its presigned query string', NULL),
	('sync_health', '', 'How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.', NULL),
	('sync_health', 'certified_at', 'the last instant at which the mirror is proven to have held exactly the listed jobs; null: never', NULL),
	('sync_health', 'certified_age_s', 'seconds since then, on the database''s clock', NULL),
	('sync_health', 'last_run_id', 'newest run; null if there was none', NULL),
	('sync_health', 'last_run_kind', 'full or poll', NULL),
	('sync_health', 'last_run_outcome', 'running, succeeded, failed, interrupted or abandoned', NULL),
	('sync_health', 'last_run_at', 'when it began', NULL),
	('sync_health', 'last_success_at', 'when a run last ended well', NULL),
	('sync_health', 'last_failure_at', 'when a run last failed', NULL),
	('sync_health', 'last_error', 'why it failed', NULL),
	('sync_health', 'jobs', 'jobs in the mirror, gone ones included', NULL),
	('sync_health', 'in_flight', 'jobs that are not over and not gone', NULL),
	('sync_health', 'missing', 'jobs that the list lacks without an explanation yet', NULL),
	('sync_health', 'waiting_for_operator', 'those of them that wait for tpmirror gone confirm or restore', NULL),
	('sync_health', 'quarantined', 'payloads that could not be mirrored, or not whole, and are not resolved', NULL),
	('videos', '', 'A video of either kind; an id may stand twice, once as an input and once as an output.', NULL),
	('videos', 'kind', 'input or output', NULL),
	('videos', 'video_id', 'id, unique within its kind', NULL),
	('videos', 'job_id', 'job that made it; null for inputs, which may serve many jobs', NULL),
	('videos', 'name', 'media name', NULL),
	('videos', 'owner', 'inputs: e-mail address (personal data), outputs: user id', NULL),
	('videos', 'width', 'width in pixels', NULL),
	('videos', 'height', 'height in pixels', NULL),
	('videos', 'megapixels', 'millions of pixels per frame', NULL),
	('videos', 'n_frames', 'number of frames', NULL),
	('videos', 'framerate', 'frames per second', NULL),
	('videos', 'duration_s', 'length in seconds', NULL),
	('videos', 'size', 'size in bytes', NULL),
	('videos', 'bitrate', 'bits per second', NULL),
	('videos', 'codec_id', 'codec as MediaInfo names it', NULL),
	('videos', 'bit_depth', 'bits per sample', NULL),
	('videos', 'chroma_subsampling', 'for example 4:2:0', NULL),
	('videos', 'created_at', 'when it was created upstream', NULL),
	('videos', 'deleted_at', 'when an output was deleted upstream; null if it was not', NULL),
	('videos', 'file', 'URL without its presigned query string', NULL),
	('videos', 'first_seen_at', 'when the mirror first saw it', NULL),
	('videos', 'changed_at', 'when the mirror last saw it change', NULL);
INSERT INTO public.field_changes VALUES
	(1, 'job', 18, 'finished', NULL, '2025-02-03T09:02:15.145731Z', '2025-02-03 09:04:00.296+00', 3),
	(2, 'job', 19, 'finished', NULL, '2025-02-03T09:04:50Z', '2025-02-03 09:05:50.666+00', 8),
	(3, 'job', 19, 'output_video_id', NULL, '16', '2025-02-03 09:05:50.666+00', 8),
	(4, 'job', 13, 'cost_usd', '1.2500', NULL, '2025-02-03 10:05:50.74+00', 9),
	(5, 'job', 14, 'cost_usd', '1.2500', NULL, '2025-02-03 10:05:50.74+00', 9),
	(6, 'job', 17, 'finished', NULL, '2025-02-03T09:09:24.462899Z', '2025-02-03 10:05:50.74+00', 9),
	(7, 'job', 17, 'output_video_id', NULL, '17', '2025-02-03 10:05:50.74+00', 9),
	(8, 'job', 1, 'cost_usd', '91.2343', '3.5000', '2025-02-03 10:05:50.777+00', 9),
	(9, 'output_video', 1, 'quality_score', NULL, '4', '2025-02-03 10:05:50.777+00', 9),
	(10, 'job', 2, 'description', '', 'Roof, take 2', '2025-02-03 10:05:50.777+00', 9),
	(11, 'job', 7, 'cost_usd', '1.2500', NULL, '2025-02-03 10:05:50.777+00', 9),
	(12, 'job', 3, 'presence', 'listed', 'gone', '2025-02-03 10:05:51.036+00', 9),
	(13, 'job', 6, 'presence', 'listed', 'unlisted', '2025-02-03 10:05:51.036+00', 9),
	(14, 'job', 13, 'cost_usd', NULL, '1.2500', '2025-02-03 11:05:51.073+00', 10),
	(15, 'output_video', 14, 'thumbnail', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/14/thumbnail.jpg', NULL, '2025-02-03 11:05:51.073+00', 10),
	(16, 'output_video', 14, 'file', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/14/video', NULL, '2025-02-03 11:05:51.073+00', 10),
	(17, 'output_video', 14, 'deleted', NULL, '2025-02-03T11:04:50Z', '2025-02-03 11:05:51.073+00', 10),
	(18, 'job', 2, 'description', 'Roof, take 2', 'Roof, take 3', '2025-02-03 11:05:51.11+00', 10),
	(19, 'job', 4, 'presence', 'listed', 'missing', '2025-02-05 11:05:51.665+00', 11),
	(20, 'job', 5, 'presence', 'listed', 'missing', '2025-02-05 11:05:51.665+00', 11),
	(21, 'job', 11, 'presence', 'listed', 'missing', '2025-02-05 11:05:51.665+00', 11),
	(22, 'job', 20, 'finished', NULL, '2025-02-05T12:06:50Z', '2025-02-05 12:07:51.776+00', 13);
INSERT INTO public.input_videos VALUES
	(9, 'untitled', 640, 480, '2025-02-02 15:31:22.299651+00', 934, 29.97, 128444033, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/9/thumbnail.jpg', 32963279, 'apch', 10, '4:2:2', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/9/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(11, 'סרט משפחתי 2482.mov', 320, 240, '2025-02-02 20:50:54.281018+00', 205, 29.97, 257661, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/11/thumbnail.jpg', 300931, 'mp4v-20', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/11/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(12, 'Café – nöel 5451.mp4', 640, 480, '2025-02-02 23:30:54.012702+00', 3350, 30, 12034484, 'alice@example.com', NULL, 861933, 'avc1', 8, '4:2:0', 'YUV', NULL, 'https://media.example.com/in/12.mp4', NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(13, '  padded 152 .mp4', 1280, 720, '2025-02-02 23:43:20.073047+00', 7450, 25, 423321153, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/thumbnail.jpg', 11364216, 'dvc', 8, '4:1:1', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(14, 'IMG_3984.mp4', 720, 480, '2025-02-03 01:26:57.064745+00', 722, 25, 5412645, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/thumbnail.jpg', 1497946, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(15, 'tape 8321 side A.avi', 720, 480, '2025-02-03 01:46:46.424347+00', 17880, 25, 37864807, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/15/thumbnail.jpg', NULL, 'V_VP9', 8, NULL, NULL, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/15/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(16, 'tape 6086 side A.avi', 720, 576, '2025-02-03 03:27:15.879019+00', 3216, 23.976, 7294564, 'alice@example.com', NULL, 434927, 'hev1', 8, '4:2:0', 'YUV', NULL, 'https://media.example.com/in/16.mp4', NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(17, 'interview-take-3169.mkv', 720, 576, '2025-02-03 07:07:46.060982+00', 436, 23.976, 48351233, 'alice@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'https://media.example.com/in/17.mp4', NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(18, 'O''Brien "the best" 9469.mp4', 720, 576, '2025-02-03 08:19:26.209231+00', 1432, 30, 8060596, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/18/thumbnail.jpg', 1349999, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/18/original', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(1, 'tape 3065 side A.avi', 1280, 720, '2025-02-01 16:40:01.302949+00', 14666, 29.97, 107800559, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/1/thumbnail.jpg', 1762216, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/1/original', NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(2, '<b>5475</b> & co; --.mp4', 1920, 1080, '2025-02-01 19:22:52.992818+00', 2970, 60, 94431885, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/2/thumbnail.jpg', 15261018, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/2/original', NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(3, '가족 여행 5661.mp4', 720, 480, '2025-02-01 19:52:01.293736+00', 13001, 25, 69681110, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/3/thumbnail.jpg', 1071889, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/3/original', NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(4, 'Café – nöel 7843.mp4', 320, 240, '2025-02-01 23:23:15.436348+00', 1111, 30, 1532072, 'alice@example.com', NULL, 330718, 'avc1', 8, '4:2:0', 'YUV', NULL, 'https://media.example.com/in/4.mp4', NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(5, '<b>8930</b> & co; --.mp4', 640, 480, '2025-02-02 02:41:30.998427+00', 20864, 23.976, 125954731, 'alice@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'https://media.example.com/in/5.mp4', NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(6, 'GX018912.MP4', 1920, 1080, '2025-02-02 05:52:26.072572+00', 63682, 30, 2469095662, 'alice@example.com', NULL, 9305307, 'avc1', 8, '4:2:0', 'YUV', NULL, 'https://media.example.com/in/6.mp4', NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(7, 'Café – nöel 4307.mp4', 720, 576, '2025-02-02 09:58:15.19767+00', 6161, 60, 44127829, 'alice@example.com', NULL, 3437951, 'avc1', 8, '4:2:0', 'YUV', NULL, 'https://media.example.com/in/7.mp4', NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(8, '100% 2902\backup.mp4', 1440, 1080, '2025-02-02 12:53:12.64503+00', 6190, 29.97, 147864481, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/8/thumbnail.jpg', 5727111, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/8/original', NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(19, 'DJI_8923.MP4', 1280, 720, '2025-02-03 07:08:32+00', 1080, 30, 19801335, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/19/thumbnail.jpg', 4397442, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/19/original', NULL, NULL, '2025-02-03 09:04:00.37+00', '2025-02-03 09:04:00.37+00'),
	(20, 'Zażółć gęślą jaźń 6801.mp4', 544, 368, '2025-02-05 11:43:11+00', 12879, 30, 51449099, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/20/thumbnail.jpg', NULL, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/20/original', NULL, NULL, '2025-02-05 12:06:51.702+00', '2025-02-05 12:06:51.702+00'),
	(21, '  padded 6116 .mp4', 1440, 1080, '2025-02-05 11:02:28+00', 686, 30, 23962257, 'alice@example.com', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/21/thumbnail.jpg', 8380875, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/21/original', NULL, NULL, '2025-02-05 12:07:51.85+00', '2025-02-05 12:07:51.85+00');
INSERT INTO public.job_absences VALUES
	(6, '2025-02-03 10:05:51.036+00', '2025-02-03 11:05:51.295+00', 'found', NULL),
	(4, '2025-02-05 11:05:51.665+00', '2025-02-05 11:05:51.554+00', 'not found', NULL),
	(11, '2025-02-05 11:05:51.665+00', '2025-02-05 11:05:51.628+00', 'not found', NULL),
	(5, '2025-02-05 11:05:51.665+00', '2025-02-05 11:05:51.591+00', 'not found', '2025-02-05 11:06:51.665+00');
INSERT INTO public.job_ml_models VALUES
	(9, 0, 42, 0.75),
	(11, 0, 46, 1.5),
	(12, 0, 23, 0.8),
	(12, 1, 31, 0.5),
	(12, 2, 34, 0.5),
	(13, 0, 18, 1),
	(14, 0, 18, 1),
	(14, 1, 51, 0.6),
	(15, 0, 40, 0.3),
	(16, 0, 46, 1.5),
	(17, 0, 34, 0.5),
	(17, 1, 47, 0.5),
	(18, 0, 44, 2),
	(18, 1, 43, 0.4),
	(1, 0, 31, 0.5),
	(1, 1, 38, 1),
	(2, 0, 12, 0.25),
	(2, 1, 36, 1.25),
	(3, 0, 34, 0.5),
	(4, 0, 23, 0.8),
	(4, 1, 27, 0.2),
	(5, 0, 46, 1.5),
	(5, 1, 36, 1.25),
	(6, 0, 12, 0.25),
	(6, 1, 46, 1.5),
	(7, 0, 15, 0.1),
	(7, 1, 45, 0.5),
	(8, 0, 44, 2),
	(19, 0, 36, 1.25),
	(20, 0, 23, 0.8),
	(21, 0, 12, 0.25),
	(21, 1, 31, 0.5),
	(21, 2, 27, 0.2);
INSERT INTO public.job_progress_samples VALUES
	(17, '2025-02-03 09:00:00.037+00', 0.05, 859.1),
	(17, '2025-02-03 09:02:00.222+00', 0.24, 590),
	(17, '2025-02-03 09:04:00.296+00', 0.45, 251.4),
	(17, '2025-02-03 09:04:30.444+00', 0.49, 231.8),
	(19, '2025-02-03 09:04:30.444+00', 0, 3175.7),
	(17, '2025-02-03 09:05:10.518+00', 0.53, 437.3),
	(19, '2025-02-03 09:05:10.518+00', 0.01, 3094.1),
	(17, '2025-02-03 09:05:50.592+00', 0.57, 381.7),
	(19, '2025-02-03 09:05:50.592+00', 0.03, 3048.6),
	(21, '2025-02-05 12:07:51.85+00', 0, 921.2),
	(21, '2025-02-05 12:08:11.924+00', 0.03, 430.9),
	(21, '2025-02-05 12:11:11.998+00', 0.27, 283.8);
INSERT INTO public.job_status_history VALUES
	(9, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-02 17:32:42.789105+00', 1, '9cb9f2a935e7ce585d5ba43c3e3da4fe601a7925ac0facf803a53f0ac3531694', 1),
	(11, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-02 22:55:43.181402+00', 1, '29060e7543788d6a3f69a07a771f885f8a0d3eb6cb79f787d58ad367ef7a7c10', 2),
	(12, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 01:03:33.028365+00', 1, '786b39a48130b56ddd5d76e5e0ca8504177c17e1bf9b05e6e1097861d4274e5e', 3),
	(13, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 01:29:07.760985+00', 1, 'c2ac07db5d42e5906359b965d2068971236de6b41d21d4440d4f8bec6f3405ec', 4),
	(14, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 03:18:22.907142+00', 1, 'ee7bc9844a6c454fd3f5a5a5329754f4943b987dbe64ee27219af6cbcf719288', 5),
	(15, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 03:37:12.064242+00', 1, '2dcba1bc6a224cd2653c46ef976b35145b1ff0751f6ed7249b10dd70c2c9842e', 6),
	(16, 1, NULL, 2, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 05:07:20.038386+00', 1, '240e29f6a37d7cccdaf282c23207211e0c9ee95e913d38559282b00c4ae1832c', 7),
	(17, 1, NULL, 1, NULL, '2025-02-03 09:00:00.037+00', NULL, 1, 'f476b39b315a3333621ef835798adbb867ee1ace46dc92e10dd2f3e5fbef1f84', 8),
	(18, 1, NULL, 0, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 08:58:07.209231+00', 1, 'd12baef3f44235c9977943aec6456f6fd139015860a8769c24c720a0f4ef2144', 9),
	(1, 1, NULL, -2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-01 17:00:13.747403+00', 1, '873a2617b9385496a6e63ab1f3607b439eae1e14bef46af404ebd2c0fafd7bbe', 10),
	(2, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-01 19:35:39.059821+00', 1, '6a496a0b0b4f203034cb204d246cafe58bbd377d0555dec2216174e291d8fb6b', 11),
	(3, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-01 21:37:22.873084+00', 1, 'fe883cb74cb62477272adf3571de1a32df575e2b150b9cefc746f54b509a584b', 12),
	(4, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-02 00:39:22.283204+00', 1, '42938684f33e504dbd97edc742c2433dd078db869131049f59ce226fabfd55d0', 13),
	(5, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-02 04:37:47.635654+00', 1, 'c975a70323adfd102fe92c2a50645690a8b4a418acf69a34f5f328dece45a53c', 14),
	(6, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-02 06:23:26.473602+00', 1, '5d6e254ed3962b06f72b420eb8d71affb53fc1e6f5c2dcfef2d2259eea44363d', 15),
	(7, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-02 10:51:07.657468+00', 1, '10364c94305b48e2efe52a3b375010a88f61ce1db0fd7286a9af2e35dcc34547', 16),
	(8, 1, NULL, 2, NULL, '2025-02-03 09:00:00.074+00', '2025-02-02 13:42:00.579765+00', 1, '3e40e6e57e0494db893b5f5be53d4725117d247d0ec7a7d6b21d4595cf600d48', 17),
	(18, 2, 0, -1, '2025-02-03 09:02:00.185+00', '2025-02-03 09:04:00.296+00', '2025-02-03 09:02:15.145731+00', 3, '3e93c6c5c5c757706b09024d6566d07af28135e302a1034c1041e56a7d08acd4', 18),
	(19, 1, NULL, 0, NULL, '2025-02-03 09:04:00.37+00', '2025-02-03 09:03:00+00', 4, '10c779f88cb41e0e407131a3280597773ec96e3cec98d437e98bfb3fbe8f2323', 19),
	(19, 2, 0, 1, '2025-02-03 09:04:00.37+00', '2025-02-03 09:04:30.444+00', NULL, 5, '201092752c09492a98966faa5141296e342cbf8dcd5ad1ce4337b7200a5de4fb', 20),
	(19, 3, 1, 2, '2025-02-03 09:05:50.555+00', '2025-02-03 09:05:50.666+00', '2025-02-03 09:04:50+00', 8, 'ee791add4b898df50229e0a7a39c6a9fa404b7f9d4491d46e55a517b5692f1fb', 21),
	(17, 2, 1, 2, '2025-02-03 09:05:50.629+00', '2025-02-03 10:05:50.74+00', '2025-02-03 09:09:24.462899+00', 9, '3879f174b023690ef9cf9e88cc4ba0d8011bd6476a5d01d68d2227ad3ab6048d', 22),
	(20, 1, NULL, 0, NULL, '2025-02-05 12:06:51.702+00', '2025-02-05 12:05:50+00', 12, 'a77721901e6021e34305a7cab87ad254d660059a229df7873d59cc437dc0e5e1', 23),
	(20, 2, 0, -2, '2025-02-05 12:06:51.702+00', '2025-02-05 12:07:51.776+00', '2025-02-05 12:06:50+00', 13, '21fa939046fb84fecbeb8f4b8bfb368226c0414f9f23c4350aadd38eafb42964', 24),
	(21, 1, NULL, 1, NULL, '2025-02-05 12:07:51.85+00', NULL, 14, '5c19c80026deda322dffd81931ac242fbc627f0ab01938db7a206d0ee6792364', 25);
INSERT INTO public.job_statuses VALUES
	(0, 'In Queue', false),
	(1, 'Processing', false),
	(2, 'Finished', true),
	(-1, 'Failed', true),
	(-2, 'Canceled', true);
INSERT INTO public.jobs VALUES
	(9, 2, false, '', 0.2690, 0, 1, '2025-02-02 17:14:59.299651+00', '2025-02-02 17:32:42.789105+00', 9, 8, 0, 'libx264', -1, false, 0, 2.5, 1, 0, 0, 934, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00', 'listed', NULL, NULL, NULL, '9750db5a658c538362f57748245de015'),
	(16, 2, false, '', 3.1615, 0, 1, '2025-02-03 05:03:50.879019+00', '2025-02-03 05:07:20.038386+00', 16, 15, 0, 'libx264', 1280, false, 0, 1, 1, 0, 0, 3216, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00', 'listed', NULL, NULL, NULL, 'bd324b381aa495a6f056a9b6d3020eb2'),
	(8, 2, false, '', 17.1141, 0, 1, '2025-02-02 13:31:57.64503+00', '2025-02-02 13:42:00.579765+00', 8, 7, 0, 'libx264', 1920, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00', 'listed', NULL, NULL, NULL, '24f06f11ba79425725f92e2e411d426a'),
	(3, 2, false, '', 7.9878, 0, 1, '2025-02-01 21:21:02.293736+00', '2025-02-01 21:37:22.873084+00', 3, 2, 0, 'libx264', 1920, false, 0, 1, 1, 0, 0, 13001, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 10:05:51.036+00', 'gone', '2025-02-03 10:05:51.036+00', NULL, NULL, 'c490d81783ed0ec113a540acb1a02ad9'),
	(6, 2, false, '', 51.3532, 0, 1, '2025-02-02 06:05:36.072572+00', '2025-02-02 06:23:26.473602+00', 6, 5, 0, 'libx264', 1280, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 10:05:51.036+00', 'unlisted', NULL, NULL, NULL, '7ff32fc84c7f10ed5ebf3f5299105ba9'),
	(12, 2, false, 'テスト', 0.9262, 0, 1, '2025-02-03 00:54:53.012702+00', '2025-02-03 01:03:33.028365+00', 12, 11, 0.5, 'libx264', -1, false, 0, 1, 1, 0, 0, 3350, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00', 'listed', NULL, NULL, NULL, 'aa292a51af3e6ec2cb6013a568ac4518'),
	(18, -1, false, '', 2.2523, 0, 0.36, '2025-02-03 08:58:07.209231+00', '2025-02-03 09:02:15.145731+00', 18, NULL, 0, 'libx264', 1280, false, 0, 1, 1, 1, NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:04:00.296+00', 'listed', NULL, NULL, NULL, '50c1d31a89450ff3e6e403c40ec4fb6b'),
	(13, 2, false, '', 1.2500, 0, 1, '2025-02-03 01:15:21.073047+00', '2025-02-03 01:29:07.760985+00', 13, 12, 0.1, 'libx264', 1920, false, 0, 1, 1, 0, 0, 7450, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 11:05:51.073+00', 'listed', NULL, NULL, NULL, '5dbd98abdd4c276f86d89e7c277b9edd'),
	(15, 2, false, '', 11.7133, 0, 1, '2025-02-03 03:21:44.424347+00', '2025-02-03 03:37:12.064242+00', 15, 14, 0, 'libx264', 2560, false, 7, 1, 1, 0, 0, 17880, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00', 'listed', NULL, NULL, NULL, 'e8d7727f589969899a5ee069bd2dab14'),
	(2, 2, true, 'Roof, take 3', 0.0000, 0, 1, '2025-02-01 19:29:51.992818+00', '2025-02-01 19:35:39.059821+00', 2, 1, 0, 'libx264', 1920, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 11:05:51.11+00', 'listed', NULL, NULL, NULL, 'be24bb08ed13992f7b47c80e51853125'),
	(4, 2, true, '', 0.0000, 0, 1, '2025-02-02 00:28:00.436348+00', '2025-02-02 00:39:22.283204+00', 4, 3, 0, 'libx264', 1920, false, 0, 1, 1, 0, 313, 578, NULL, '2025-02-03 09:00:00.074+00', '2025-02-05 11:05:51.665+00', 'missing', NULL, NULL, NULL, 'ef4a86884b5e1569dab96e2743ebe25b'),
	(5, 2, true, '', 0.0000, 0, 1, '2025-02-02 04:19:36.998427+00', '2025-02-02 04:37:47.635654+00', 5, 4, 0, 'libx265', 854, false, 0, 1, 1, 0, 0, 20864, NULL, '2025-02-03 09:00:00.074+00', '2025-02-05 11:05:51.665+00', 'missing', NULL, NULL, NULL, '36b83a5d3c2dfa9563b16f8e4838797b'),
	(19, 2, false, '', 1.3997, 0, 1, '2025-02-03 09:03:00+00', '2025-02-03 09:04:50+00', 19, 16, 0.1, 'prores_ks', 1920, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:04:00.37+00', '2025-02-03 09:05:50.666+00', 'listed', NULL, NULL, NULL, 'b7cac2507efbf59ead97ac5359f7ac6e'),
	(14, 2, false, '👍', NULL, 0, 1, '2025-02-03 03:10:39.064745+00', '2025-02-03 03:18:22.907142+00', 14, 13, 0, 'libx264', -1, false, 0, 1, 1, 0, 0, 722, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 10:05:50.74+00', 'listed', NULL, NULL, NULL, '34e9de84ec2e6f0fcdf49ada5d4d16c5'),
	(17, 2, true, '', 0.0000, 0, 1, '2025-02-03 08:51:40.060982+00', '2025-02-03 09:09:24.462899+00', 17, 17, 0, 'libx264', -1, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 10:05:50.74+00', 'listed', NULL, NULL, NULL, '4587a11e8e3c4e48a05df3b6b9770143'),
	(1, -2, false, '', 3.5000, 0, 0.17, '2025-02-01 16:53:30.302949+00', '2025-02-01 17:00:13.747403+00', 1, NULL, 0, 'libx264', 1920, false, 0, 1, 0.25, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 10:05:50.777+00', 'listed', NULL, NULL, NULL, '1008cc34b21ec2463e7e092b7b95b981'),
	(7, 2, false, '', NULL, 0, 1, '2025-02-02 10:42:50.19767+00', '2025-02-02 10:51:07.657468+00', 7, 6, 0, 'libx264', 1920, false, 0, 1, 1, 0, 0, 6161, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 10:05:50.777+00', 'listed', NULL, NULL, NULL, '729eaf1b21c2a59ffe7e97fbef773b04'),
	(11, 2, false, '👍', 0.4251, 0, 1, '2025-02-02 22:49:58.281018+00', '2025-02-02 22:55:43.181402+00', 11, 10, 0, 'libx264', 1920, false, 0, 1, 1, 0, NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-05 11:05:51.665+00', 'missing', NULL, NULL, NULL, '7c360a80b5c436d88ddca1db1590a885'),
	(20, -2, true, '', 0.0000, 0, 0, '2025-02-05 12:05:50+00', '2025-02-05 12:06:50+00', 20, NULL, 0, 'libx264', 3840, false, 0, 1, 1, 0, 0, 12879, NULL, '2025-02-05 12:06:51.702+00', '2025-02-05 12:07:51.776+00', 'listed', NULL, NULL, NULL, '0ffce8635d05a9eae88805938d39024d'),
	(21, 1, false, '', 0.5068, 283.8, 0.27, '2025-02-05 12:06:50+00', NULL, 21, NULL, 0, 'libx264', -1, false, 0, 1, 1, 0, 0, 686, NULL, '2025-02-05 12:07:51.85+00', '2025-02-05 12:07:51.85+00', 'listed', NULL, NULL, NULL, '30e758876d54c6618212849914f5672c');
INSERT INTO public.mirror_scope VALUES
	('input_owner', 'alice@example.com', '2025-02-03 09:00:00.037+00'),
	('origin', 'loopback', '2025-02-03 09:00:00.037+00'),
	('output_owner', '4711', '2025-02-03 09:00:00.037+00');
INSERT INTO public.ml_models VALUES
	(18, 'Film Damage Repair', 2, 1, 1, 1, 20, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(23, 'VHS Prettify', 5, 0.8, 1, 1, 24, 921600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(31, 'Decompressor', 8, 0.5, 1, 1, 26, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(34, 'General Denoise 3', 3, 0.5, 1, 1, 30, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(40, 'AI Stabilization', 13, 0.3, 1, 1, 15, 8294400, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(42, 'FPS Boost', 10, 0.75, 1, 2, 80, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(43, 'AI Sharpen', 4, 0.4, 1, 1, 70, 8294400, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(44, '4x Upscale Ultra 4', 1, 2, 4, 1, 40, 921600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(46, '4x Upscale', 1, 1.5, 4, 1, 40, 921600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(47, '2x Anime Upscale', 1, 0.5, 2, 1, 40, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(51, 'Low Light Enhance', 15, 0.6, 1, 1, 28, 2073600, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(12, 'Deinterlace 2', 9, 0.25, 1, 1, 10, 2073600, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(15, 'Audio Denoise', 14, 0.1, 1, 1, 5, 8294400, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(27, 'Auto Color Balance', 7, 0.2, 1, 1, 60, 8294400, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(36, 'Face Enhance 2', 12, 1.25, 1, 1, 50, 2073600, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(38, 'Slow Motion', 11, 1, 1, 1, 80, 2073600, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(45, '2x Upscale 4', 1, 0.5, 2, 1, 40, 2073600, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00');
INSERT INTO public.ml_tasks VALUES
	(1, 'Super Resolution'),
	(2, 'Film damage'),
	(3, 'Denoise'),
	(4, 'Sharpen'),
	(5, 'VHS Prettify'),
	(6, 'Dropouts Buster'),
	(7, 'Auto Color Balance'),
	(8, 'Decompressor'),
	(9, 'Deinterlace'),
	(10, 'FPS Interpolation'),
	(11, 'Slow Motion'),
	(12, 'Face Enhance'),
	(13, 'Stabilization'),
	(14, 'Audio Denoise'),
	(15, 'Low Light Enhance');
INSERT INTO public.output_resolutions VALUES
	(-1, 'No Resize'),
	(640, '360p'),
	(720, 'SD'),
	(854, 'HQ'),
	(1280, '720p'),
	(1920, '1080p'),
	(2048, '2K'),
	(2560, 'QHD'),
	(3840, '4K');
INSERT INTO public.output_videos VALUES
	(8, 9, NULL, NULL, 'untitled_enhanced.mp4', 640, 480, '2025-02-02 17:32:42.789105+00', 2335, 74.925, 8966400, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/8/thumbnail.jpg', 2301696, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/8/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(10, 11, NULL, NULL, 'סרט משפחתי 2482_enhanced.mp4', 1920, 1440, '2025-02-02 22:55:43.181402+00', 205, 29.97, 7084799, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/10/thumbnail.jpg', 8286105, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/10/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(11, 12, NULL, NULL, 'Café – nöel 5451_enhanced.mp4', 640, 480, '2025-02-03 01:03:33.028365+00', 3350, 30, 12864000, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/thumbnail.jpg', 921600, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(12, 13, NULL, NULL, '  padded 152 _enhanced.mp4', 1920, 1080, '2025-02-03 01:29:07.760985+00', 7450, 25, 193104000, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/thumbnail.jpg', 5184000, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(13, 14, NULL, NULL, 'IMG_3984_enhanced.mp4', 720, 480, '2025-02-03 03:18:22.907142+00', 722, 25, 3119040, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/thumbnail.jpg', 864000, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(15, 16, NULL, NULL, 'tape 6086 side A_enhanced.mp4', 1280, 1024, '2025-02-03 05:07:20.038386+00', 3216, 23.976, 52690939, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/15/thumbnail.jpg', 3142582, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/15/video', NULL, NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 09:00:00.037+00'),
	(2, 3, NULL, NULL, '가족 여행 5661_enhanced.mp4', 1920, 1280, '2025-02-01 21:37:22.873084+00', 13001, 25, 399390720, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/2/thumbnail.jpg', 6144000, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/2/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(3, 4, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/before.mp4', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/after.mp4', 'Café – nöel 7843_enhanced.mp4', 1920, 1440, '2025-02-02 00:39:22.283204+00', 300, 30, 10368000, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/thumbnail.jpg', 8294400, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(4, 5, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/before.mp4', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/after.mp4', '<b>8930</b> & co; --_enhanced.mp4', 854, 640, '2025-02-02 04:37:47.635654+00', 250, 23.976, 1195599, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/thumbnail.jpg', NULL, 'hvc1', 10, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(5, 6, NULL, NULL, 'GX018912_enhanced.mp4', 1280, 720, '2025-02-02 06:23:26.473602+00', 63682, 30, 733616639, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/5/thumbnail.jpg', 2764800, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/5/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(6, 7, NULL, NULL, 'Café – nöel 4307_enhanced.mp4', 1920, 1536, '2025-02-02 10:51:07.657468+00', 6161, 60, 227119104, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/thumbnail.jpg', 17694720, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(7, 8, NULL, NULL, '100% 2902\backup_enhanced.mp4', 1920, 1440, '2025-02-02 13:42:00.579765+00', 6190, 29.97, 213926384, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/7/thumbnail.jpg', 8286105, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/7/video', NULL, NULL, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 09:00:00.074+00'),
	(16, 19, NULL, NULL, 'DJI_8923_enhanced.mov', 1920, 1080, '2025-02-03 09:04:50+00', 1080, 30, 447897600, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/16/thumbnail.jpg', 99532800, 'apcn', 10, '4:2:2', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/16/video', NULL, NULL, NULL, '2025-02-03 09:05:50.666+00', '2025-02-03 09:05:50.666+00'),
	(17, 17, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/before.mp4', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/after.mp4', 'interview-take-3169_enhanced.mp4', 1440, 1152, '2025-02-03 09:09:24.462899+00', 250, 23.976, 5183999, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/thumbnail.jpg', NULL, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/video', NULL, NULL, NULL, '2025-02-03 10:05:50.74+00', '2025-02-03 10:05:50.74+00'),
	(1, 2, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/before.mp4', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/after.mp4', '<b>5475</b> & co; --_enhanced.mp4', 1920, 1080, '2025-02-01 19:35:39.059821+00', 600, 60, 15552000, 4711, 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/thumbnail.jpg', 12441600, 'avc1', 8, '4:2:0', 'YUV', 'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/video', NULL, 4, NULL, '2025-02-03 09:00:00.074+00', '2025-02-03 10:05:50.777+00'),
	(14, 15, NULL, NULL, 'tape 8321 side A_enhanced.mp4', 2560, 1706, '2025-02-03 03:37:12.064242+00', 17880, 25, 976104960, 4711, NULL, NULL, 'avc1', 8, '4:2:0', 'YUV', NULL, '2025-02-03 11:04:50+00', NULL, NULL, '2025-02-03 09:00:00.037+00', '2025-02-03 11:05:51.073+00');
INSERT INTO public.quarantined_jobs VALUES
	(5, 7, 'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null', '{"id":7,"started":"2025-02-02T10:42:50.197670Z","preview":false,"description":"","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-02T10:51:07.657468Z","processing_progress":1.0,"input_video":{"id":7,"name":"Cafe\u0301 \u2013 no\u0308el 4307.mp4","width":720,"height":576,"created_at":"2025-02-02T09:58:15.197670Z","n_frames":6161,"framerate":60.0,"size":44127829,"owner":"alice@example.com","thumbnail":null,"external_url":"https://media.example.com/in/7.mp4","bitrate":3437951,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":null},"output_video":{"id":6,"job_id":7,"preview_videos":null,"name":"Cafe\u0301 \u2013 no\u0308el 4307_enhanced.mp4","created_at":"2025-02-02T10:51:07.657468Z","width":1920,"height":1536,"owner":4711,"deleted":null,"framerate":60.0,"n_frames":6161,"bitrate":17694720,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":227119104,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/thumbnail.jpg","quality_score":null},"ml_models":[{"id":15,"name":"Audio Denoise","task":14,"cost_weight":0.1,"upscale_factor":1,"fps_boost_factor":1,"priority":5,"max_resolution":8294400},{"id":45,"name":"2x Upscale 4","task":1,"cost_weight":0.5,"upscale_factor":2,"fps_boost_factor":1,"priority":40,"max_resolution":2073600}],"grain":0.0,"codec":"libx264","output_resolution":1920,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":6161}', '2025-02-03 10:05:50.777+00', '2025-02-03 10:05:50.777+00', 9, NULL),
	(3, 14, 'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null', '{"id":14,"started":"2025-02-03T03:10:39.064745Z","preview":false,"description":"\ud83d\udc4d","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-03T03:18:22.907142Z","processing_progress":1.0,"input_video":{"id":14,"name":"IMG_3984.mp4","width":720,"height":480,"created_at":"2025-02-03T01:26:57.064745Z","n_frames":722,"framerate":25.0,"size":5412645,"owner":"alice@example.com","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/thumbnail.jpg","external_url":null,"bitrate":1497946,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/original"},"output_video":{"id":13,"job_id":14,"preview_videos":null,"name":"IMG_3984_enhanced.mp4","created_at":"2025-02-03T03:18:22.907142Z","width":720,"height":480,"owner":4711,"deleted":null,"framerate":25.0,"n_frames":722,"bitrate":864000,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":3119040,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/thumbnail.jpg","quality_score":null},"ml_models":[{"id":18,"name":"Film Damage Repair","task":2,"cost_weight":1.0,"upscale_factor":1,"fps_boost_factor":1,"priority":20,"max_resolution":2073600},{"id":51,"name":"Low Light Enhance","task":15,"cost_weight":0.6,"upscale_factor":1,"fps_boost_factor":1,"priority":28,"max_resolution":2073600}],"grain":0.0,"codec":"libx264","output_resolution":-1,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":722}', '2025-02-03 10:05:50.74+00', '2025-02-05 11:05:51.332+00', 9, NULL),
	(1, 10, 'Expected `int`, got `str` - at `$.status`', '{"id": 10, "status": "soon"}', '2025-02-03 09:00:00.037+00', '2025-02-05 11:05:51.332+00', 1, NULL),
	(4, 12, 'Expected `float | null`, got `str` - at `$.grain`', '{"id":12,"started":"2025-02-03T00:54:53.012702Z","preview":false,"description":"\u30c6\u30b9\u30c8","cost_usd":"0.9262","status":2,"eta_s":0.0,"finished":"2025-02-03T01:03:33.028365Z","processing_progress":1.0,"input_video":{"id":12,"name":"Cafe\u0301 \u2013 no\u0308el 5451.mp4","width":640,"height":480,"created_at":"2025-02-02T23:30:54.012702Z","n_frames":3350,"framerate":30.0,"size":12034484,"owner":"alice@example.com","thumbnail":null,"external_url":"https://media.example.com/in/12.mp4","bitrate":861933,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":null},"output_video":{"id":11,"job_id":12,"preview_videos":null,"name":"Cafe\u0301 \u2013 no\u0308el 5451_enhanced.mp4","created_at":"2025-02-03T01:03:33.028365Z","width":640,"height":480,"owner":4711,"deleted":null,"framerate":30.0,"n_frames":3350,"bitrate":921600,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":12864000,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/thumbnail.jpg","quality_score":null},"ml_models":[{"id":23,"name":"VHS Prettify","task":5,"cost_weight":0.8,"upscale_factor":1,"fps_boost_factor":1,"priority":24,"max_resolution":921600},{"id":31,"name":"Decompressor","task":8,"cost_weight":0.5,"upscale_factor":1,"fps_boost_factor":1,"priority":26,"max_resolution":2073600},{"id":34,"name":"General Denoise 3","task":3,"cost_weight":0.5,"upscale_factor":1,"fps_boost_factor":1,"priority":30,"max_resolution":2073600}],"grain":"coarse","codec":"libx264","output_resolution":-1,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":3350}', '2025-02-03 10:05:50.74+00', '2025-02-03 10:05:50.74+00', 9, '2025-02-03 11:05:51.073+00'),
	(2, 13, 'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null', '{"id":13,"started":"2025-02-03T01:15:21.073047Z","preview":false,"description":"","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-03T01:29:07.760985Z","processing_progress":1.0,"input_video":{"id":13,"name":"  padded 152 .mp4","width":1280,"height":720,"created_at":"2025-02-02T23:43:20.073047Z","n_frames":7450,"framerate":25.0,"size":423321153,"owner":"alice@example.com","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/thumbnail.jpg","external_url":null,"bitrate":11364216,"codec_id":"dvc","bit_depth":8,"chroma_subsampling":"4:1:1","color_space":"YUV","file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/original"},"output_video":{"id":12,"job_id":13,"preview_videos":null,"name":"  padded 152 _enhanced.mp4","created_at":"2025-02-03T01:29:07.760985Z","width":1920,"height":1080,"owner":4711,"deleted":null,"framerate":25.0,"n_frames":7450,"bitrate":5184000,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":193104000,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/thumbnail.jpg","quality_score":null},"ml_models":[{"id":18,"name":"Film Damage Repair","task":2,"cost_weight":1.0,"upscale_factor":1,"fps_boost_factor":1,"priority":20,"max_resolution":2073600}],"grain":0.1,"codec":"libx264","output_resolution":1920,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":7450}', '2025-02-03 10:05:50.74+00', '2025-02-03 10:05:50.74+00', 9, '2025-02-03 11:05:51.073+00'),
	(7, 8, 'Expected `int`, got `str` - at `$.status`', '{"id": 8, "status": "done"}', '2025-02-03 11:05:51.11+00', '2025-02-03 11:05:51.11+00', 10, NULL),
	(6, 9, 'Expected `int`, got `null` - at `$.status`', '{"id": 9, "status": null, "started": "yesterday"}', '2025-02-03 11:05:51.11+00', '2025-02-05 11:05:51.332+00', 10, NULL),
	(9, 8, 'Expected `object | null`, got `array` - at `$.input_video`', '{"id": 8, "status": 2, "input_video": []}', '2025-02-05 11:05:51.369+00', '2025-02-05 11:05:51.369+00', 11, NULL),
	(8, 7, 'Expected `int`, got `str` - at `$.status`', '{"id": 7, "status": "done"}', '2025-02-03 11:05:51.11+00', '2025-02-05 11:05:51.369+00', 10, NULL),
	(10, NULL, 'Expected `int`, got `str` - at `$.id`', '{"id": "twenty", "status": 2}', '2025-02-05 12:08:11.924+00', '2025-02-05 12:08:11.924+00', 15, NULL);
INSERT INTO public.sync_runs VALUES
	(1, 'full', 'succeeded', true, '{"method": "count between passes", "count": 18, "counted_at": "2025-02-03T09:00:00.111000Z", "counted_by": "limit=1&offset=0", "proven": 18, "newer": 0, "passes": 2, "page_size": 10}', '2025-02-03 09:00:00+00', '2025-02-03 09:00:00.185+00', 5, 0, 4, 18, 18, 17, 0, 0, 0, 0, 0, 0, 1, NULL, true),
	(2, 'poll', 'succeeded', false, NULL, '2025-02-03 09:02:00.185+00', '2025-02-03 09:02:00.259+00', 2, 0, 2, 18, 18, 0, 0, 17, 0, 0, 0, 0, 1, NULL, true),
	(3, 'poll', 'succeeded', false, NULL, '2025-02-03 09:04:00.259+00', '2025-02-03 09:04:00.333+00', 2, 0, 2, 18, 18, 0, 1, 16, 1, 1, 0, 0, 1, NULL, true),
	(4, 'poll', 'succeeded', false, NULL, '2025-02-03 09:04:00.333+00', '2025-02-03 09:04:00.407+00', 2, 0, 2, 19, 19, 1, 0, 17, 0, 0, 0, 0, 1, NULL, true),
	(5, 'poll', 'succeeded', false, NULL, '2025-02-03 09:04:30.407+00', '2025-02-03 09:04:30.481+00', 2, 0, 2, 19, 19, 0, 1, 17, 1, 0, 0, 0, 1, NULL, true),
	(6, 'poll', 'succeeded', false, NULL, '2025-02-03 09:05:10.481+00', '2025-02-03 09:05:10.555+00', 2, 0, 2, 19, 19, 0, 0, 18, 0, 0, 0, 0, 1, NULL, true),
	(7, 'poll', 'succeeded', false, NULL, '2025-02-03 09:05:50.555+00', '2025-02-03 09:05:50.629+00', 2, 0, 2, 19, 19, 0, 0, 18, 0, 0, 0, 0, 1, NULL, true),
	(8, 'poll', 'succeeded', false, NULL, '2025-02-03 09:05:50.629+00', '2025-02-03 09:05:50.703+00', 2, 0, 2, 19, 19, 0, 1, 17, 1, 2, 0, 0, 1, NULL, true),
	(9, 'full', 'succeeded', true, '{"method": "count between passes", "count": 17, "counted_at": "2025-02-03T10:05:50.814000Z", "counted_by": "limit=1&offset=0", "proven": 17, "newer": 0, "passes": 1, "page_size": 10}', '2025-02-03 10:05:50.703+00', '2025-02-03 10:05:51.036+00', 9, 0, 4, 17, 18, 0, 6, 10, 1, 10, 1, 0, 5, NULL, true),
	(10, 'full', 'succeeded', true, '{"method": "count between passes", "count": 17, "counted_at": "2025-02-03T11:05:51.147000Z", "counted_by": "limit=1&offset=0", "proven": 17, "newer": 0, "passes": 1, "page_size": 10}', '2025-02-03 11:05:51.036+00', '2025-02-03 11:05:51.295+00', 7, 0, 4, 17, 18, 0, 3, 11, 0, 5, 0, 0, 5, NULL, true),
	(11, 'full', 'succeeded', true, '{"method": "count between passes", "count": 14, "counted_at": "2025-02-05T11:05:51.406000Z", "counted_by": "limit=1&offset=0", "proven": 14, "newer": 0, "passes": 2, "page_size": 10}', '2025-02-05 11:05:51.295+00', '2025-02-05 11:05:51.665+00', 10, 0, 4, 14, 14, 0, 0, 10, 0, 3, 0, 0, 5, NULL, true),
	(12, 'poll', 'succeeded', false, NULL, '2025-02-05 12:06:51.665+00', '2025-02-05 12:06:51.739+00', 2, 0, 2, 15, 15, 1, 0, 10, 0, 0, 0, 0, 5, NULL, true),
	(13, 'poll', 'succeeded', false, NULL, '2025-02-05 12:07:51.739+00', '2025-02-05 12:07:51.813+00', 2, 0, 2, 15, 15, 0, 1, 10, 1, 1, 0, 0, 5, NULL, true),
	(14, 'poll', 'succeeded', false, NULL, '2025-02-05 12:07:51.813+00', '2025-02-05 12:07:51.887+00', 2, 0, 2, 16, 16, 1, 0, 11, 0, 0, 0, 0, 5, NULL, true),
	(15, 'full', 'succeeded', false, '{"method": "none", "reason": "not asked for"}', '2025-02-05 12:08:11.887+00', '2025-02-05 12:08:11.961+00', 2, 0, 2, 17, 16, 0, 0, 12, 0, 0, 0, 0, 6, NULL, false),
	(16, 'poll', 'succeeded', false, NULL, '2025-02-05 12:11:11.961+00', '2025-02-05 12:11:11.998+00', 1, 0, 1, 17, 9, 0, 0, 9, 0, 0, 0, 0, 2, NULL, true);
INSERT INTO public.writer_lease VALUES
	('mirror', 17, 'writer', '2025-02-06 00:00:00+00');
SELECT pg_catalog.setval('public.alerts_id_seq', 1, false);
SELECT pg_catalog.setval('public.field_changes_id_seq', 22, true);
SELECT pg_catalog.setval('public.quarantined_jobs_id_seq', 10, true);
SELECT pg_catalog.setval('public.sync_runs_id_seq', 16, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT pk_alerts PRIMARY KEY (id);
ALTER TABLE ONLY public.data_dictionary
    ADD CONSTRAINT pk_data_dictionary PRIMARY KEY (table_name, column_name);
ALTER TABLE ONLY public.field_changes
    ADD CONSTRAINT pk_field_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.input_videos
    ADD CONSTRAINT pk_input_videos PRIMARY KEY (id);
ALTER TABLE ONLY public.job_absences
    ADD CONSTRAINT pk_job_absences PRIMARY KEY (job_id);
ALTER TABLE ONLY public.job_ml_models
    ADD CONSTRAINT pk_job_ml_models PRIMARY KEY (job_id, "position");
ALTER TABLE ONLY public.job_progress_samples
    ADD CONSTRAINT pk_job_progress_samples PRIMARY KEY (job_id, observed_at);
ALTER TABLE ONLY public.job_status_history
    ADD CONSTRAINT pk_job_status_history PRIMARY KEY (job_id, seq);
ALTER TABLE ONLY public.job_statuses
    ADD CONSTRAINT pk_job_statuses PRIMARY KEY (code);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.mirror_scope
    ADD CONSTRAINT pk_mirror_scope PRIMARY KEY (kind, value);
ALTER TABLE ONLY public.ml_models
    ADD CONSTRAINT pk_ml_models PRIMARY KEY (id);
ALTER TABLE ONLY public.ml_tasks
    ADD CONSTRAINT pk_ml_tasks PRIMARY KEY (code);
ALTER TABLE ONLY public.output_resolutions
    ADD CONSTRAINT pk_output_resolutions PRIMARY KEY (code);
ALTER TABLE ONLY public.output_videos
    ADD CONSTRAINT pk_output_videos PRIMARY KEY (id);
ALTER TABLE ONLY public.quarantined_jobs
    ADD CONSTRAINT pk_quarantined_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.sync_runs
    ADD CONSTRAINT pk_sync_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.writer_lease
    ADD CONSTRAINT pk_writer_lease PRIMARY KEY (scope);
ALTER TABLE ONLY public.job_status_history
    ADD CONSTRAINT uq_job_status_history_entry UNIQUE (entry);
CREATE UNIQUE INDEX ix_alerts_code ON public.alerts USING btree (code) WHERE (resolved_at IS NULL);
CREATE INDEX ix_field_changes_entity_entity_id ON public.field_changes USING btree (entity, entity_id);
CREATE INDEX ix_job_ml_models_ml_model_id_job_id ON public.job_ml_models USING btree (ml_model_id, job_id);
CREATE INDEX ix_job_progress_samples_observed_at ON public.job_progress_samples USING btree (observed_at);
CREATE INDEX ix_job_status_history_observed_at ON public.job_status_history USING btree (observed_at);
CREATE INDEX ix_jobs_finished ON public.jobs USING btree (finished);
CREATE INDEX ix_jobs_input_video_id ON public.jobs USING btree (input_video_id);
CREATE INDEX ix_jobs_output_video_id ON public.jobs USING btree (output_video_id);
CREATE INDEX ix_jobs_presence ON public.jobs USING btree (presence);
CREATE INDEX ix_jobs_started ON public.jobs USING btree (started);
CREATE INDEX ix_jobs_status ON public.jobs USING btree (status);
CREATE INDEX ix_quarantined_jobs_job_id ON public.quarantined_jobs USING btree (job_id);
CREATE TRIGGER field_changes_no_change BEFORE DELETE OR UPDATE ON public.field_changes FOR EACH ROW EXECUTE FUNCTION public.tpmirror_refuse_change();
ALTER TABLE public.field_changes ENABLE ALWAYS TRIGGER field_changes_no_change;
CREATE TRIGGER field_changes_no_truncate BEFORE TRUNCATE ON public.field_changes FOR EACH STATEMENT EXECUTE FUNCTION public.tpmirror_refuse_change();
ALTER TABLE public.field_changes ENABLE ALWAYS TRIGGER field_changes_no_truncate;
CREATE TRIGGER job_status_history_no_change BEFORE DELETE OR UPDATE ON public.job_status_history FOR EACH ROW EXECUTE FUNCTION public.tpmirror_refuse_change();
ALTER TABLE public.job_status_history ENABLE ALWAYS TRIGGER job_status_history_no_change;
CREATE TRIGGER job_status_history_no_truncate BEFORE TRUNCATE ON public.job_status_history FOR EACH STATEMENT EXECUTE FUNCTION public.tpmirror_refuse_change();
ALTER TABLE public.job_status_history ENABLE ALWAYS TRIGGER job_status_history_no_truncate;
ALTER TABLE ONLY public.field_changes
    ADD CONSTRAINT fk_field_changes_sync_run_id FOREIGN KEY (sync_run_id) REFERENCES public.sync_runs(id);
ALTER TABLE ONLY public.job_absences
    ADD CONSTRAINT fk_job_absences_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.job_ml_models
    ADD CONSTRAINT fk_job_ml_models_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.job_ml_models
    ADD CONSTRAINT fk_job_ml_models_ml_model_id FOREIGN KEY (ml_model_id) REFERENCES public.ml_models(id);
ALTER TABLE ONLY public.job_progress_samples
    ADD CONSTRAINT fk_job_progress_samples_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.job_status_history
    ADD CONSTRAINT fk_job_status_history_job_id FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.job_status_history
    ADD CONSTRAINT fk_job_status_history_sync_run_id FOREIGN KEY (sync_run_id) REFERENCES public.sync_runs(id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_input_video_id FOREIGN KEY (input_video_id) REFERENCES public.input_videos(id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_output_video_id FOREIGN KEY (output_video_id) REFERENCES public.output_videos(id);
ALTER TABLE ONLY public.quarantined_jobs
    ADD CONSTRAINT fk_quarantined_jobs_sync_run_id FOREIGN KEY (sync_run_id) REFERENCES public.sync_runs(id);
