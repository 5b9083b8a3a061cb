BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE alerts (
	id INTEGER NOT NULL, 
	code TEXT NOT NULL, 
	message TEXT NOT NULL, 
	remedy TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	attempted_at TEXT, 
	notified_at TEXT, 
	resolved_at TEXT, 
	recovery_notified_at TEXT, 
	CONSTRAINT pk_alerts PRIMARY KEY (id)
);
CREATE TABLE data_dictionary (
	table_name TEXT NOT NULL, 
	column_name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	api_path TEXT, 
	CONSTRAINT pk_data_dictionary PRIMARY KEY (table_name, column_name)
);
INSERT INTO "data_dictionary" VALUES('alerts','','alerts, open and over, and who was told when',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','id','number of the alert',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','code','what it is about; of several with one code, one is open at most',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','message','what is wrong',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','remedy','what to do about it',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','opened_at','when it was first so (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','attempted_at','when somebody last set out to tell it (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','notified_at','when it was told (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','resolved_at','when it was over (UTC); events are never over',NULL);
INSERT INTO "data_dictionary" VALUES('alerts','recovery_notified_at','when it was told that it is over (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('data_dictionary','','what every table and column holds',NULL);
INSERT INTO "data_dictionary" VALUES('data_dictionary','table_name','table',NULL);
INSERT INTO "data_dictionary" VALUES('data_dictionary','column_name','column; empty for the table itself',NULL);
INSERT INTO "data_dictionary" VALUES('data_dictionary','description','what it holds',NULL);
INSERT INTO "data_dictionary" VALUES('data_dictionary','api_path','where in the API''s answer it comes from; null if the mirror states it',NULL);
INSERT INTO "data_dictionary" VALUES('input_videos','','videos that jobs read; one may feed many jobs','results[].input_video');
INSERT INTO "data_dictionary" VALUES('input_videos','id','id of the input video; a sequence of its own, collides with output_videos.id','results[].input_video.id');
INSERT INTO "data_dictionary" VALUES('input_videos','name','media name','results[].input_video.name');
INSERT INTO "data_dictionary" VALUES('input_videos','width','width in pixels','results[].input_video.width');
INSERT INTO "data_dictionary" VALUES('input_videos','height','height in pixels','results[].input_video.height');
INSERT INTO "data_dictionary" VALUES('input_videos','created_at','when the media was created upstream (UTC)','results[].input_video.created_at');
INSERT INTO "data_dictionary" VALUES('input_videos','n_frames','number of frames','results[].input_video.n_frames');
INSERT INTO "data_dictionary" VALUES('input_videos','framerate','frames per second','results[].input_video.framerate');
INSERT INTO "data_dictionary" VALUES('input_videos','size','size in bytes','results[].input_video.size');
INSERT INTO "data_dictionary" VALUES('input_videos','owner','e-mail address of the owner (personal data)','results[].input_video.owner');
INSERT INTO "data_dictionary" VALUES('input_videos','thumbnail','URL of the thumbnail without its query string','results[].input_video.thumbnail');
INSERT INTO "data_dictionary" VALUES('input_videos','bitrate','bits per second','results[].input_video.bitrate');
INSERT INTO "data_dictionary" VALUES('input_videos','codec_id','codec as MediaInfo names it, for example avc1','results[].input_video.codec_id');
INSERT INTO "data_dictionary" VALUES('input_videos','bit_depth','bits per sample','results[].input_video.bit_depth');
INSERT INTO "data_dictionary" VALUES('input_videos','chroma_subsampling','for example 4:2:0','results[].input_video.chroma_subsampling');
INSERT INTO "data_dictionary" VALUES('input_videos','color_space','for example YUV','results[].input_video.color_space');
INSERT INTO "data_dictionary" VALUES('input_videos','file','URL of the media without its presigned query string; null if not stored upstream','results[].input_video.file');
INSERT INTO "data_dictionary" VALUES('input_videos','external_url','source of a job made from a URL, without its query string','results[].input_video.external_url');
INSERT INTO "data_dictionary" VALUES('input_videos','extra','JSON object of the keys upstream sent that have no column; null when none',NULL);
INSERT INTO "data_dictionary" VALUES('input_videos','first_seen_at','when the mirror first saw this row (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('input_videos','changed_at','when the mirror last saw a column of this row change (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_statuses','','labels of jobs.status',NULL);
INSERT INTO "data_dictionary" VALUES('job_statuses','code','status code of the API',NULL);
INSERT INTO "data_dictionary" VALUES('job_statuses','name','label; unknown (N) for a code that this version does not know',NULL);
INSERT INTO "data_dictionary" VALUES('job_statuses','is_terminal','whether a job in this status is over',NULL);
INSERT INTO "data_dictionary" VALUES('mirror_scope','','whose account this mirror belongs to',NULL);
INSERT INTO "data_dictionary" VALUES('mirror_scope','kind','origin, input_owner or output_owner',NULL);
INSERT INTO "data_dictionary" VALUES('mirror_scope','value','the API''s origin, or an owner whose videos the account''s jobs use',NULL);
INSERT INTO "data_dictionary" VALUES('mirror_scope','first_seen_at','when it was first seen (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('ml_models','','models as the newest job that used each shows them','results[].ml_models[]');
INSERT INTO "data_dictionary" VALUES('ml_models','id','id of the model','results[].ml_models[].id');
INSERT INTO "data_dictionary" VALUES('ml_models','name','model name','results[].ml_models[].name');
INSERT INTO "data_dictionary" VALUES('ml_models','task','task (filter) code, see ml_tasks','results[].ml_models[].task');
INSERT INTO "data_dictionary" VALUES('ml_models','cost_weight','impact on a job''s cost, as the newest job that used the model shows it','results[].ml_models[].cost_weight');
INSERT INTO "data_dictionary" VALUES('ml_models','upscale_factor','2 turns 512x512 into 1024x1024','results[].ml_models[].upscale_factor');
INSERT INTO "data_dictionary" VALUES('ml_models','fps_boost_factor','deprecated upstream, see jobs.fps_interpolation_factor','results[].ml_models[].fps_boost_factor');
INSERT INTO "data_dictionary" VALUES('ml_models','priority','order of execution, lower is earlier','results[].ml_models[].priority');
INSERT INTO "data_dictionary" VALUES('ml_models','max_resolution','largest input the model supports, in pixels','results[].ml_models[].max_resolution');
INSERT INTO "data_dictionary" VALUES('ml_models','extra','JSON object of the keys upstream sent that have no column; null when none',NULL);
INSERT INTO "data_dictionary" VALUES('ml_models','first_seen_at','when the mirror first saw this row (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('ml_models','changed_at','when the mirror last saw a column of this row change (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('ml_tasks','','labels of ml_models.task',NULL);
INSERT INTO "data_dictionary" VALUES('ml_tasks','code','task code of the API',NULL);
INSERT INTO "data_dictionary" VALUES('ml_tasks','name','label; unknown (N) for a code that this version does not know',NULL);
INSERT INTO "data_dictionary" VALUES('output_resolutions','','labels of jobs.output_resolution',NULL);
INSERT INTO "data_dictionary" VALUES('output_resolutions','code','output resolution code of the API: width in pixels, -1 for none',NULL);
INSERT INTO "data_dictionary" VALUES('output_resolutions','name','label; unknown (N) for a code that this version does not know',NULL);
INSERT INTO "data_dictionary" VALUES('output_videos','','enhanced videos that jobs made','results[].output_video');
INSERT INTO "data_dictionary" VALUES('output_videos','id','id of the enhanced video; a sequence of its own, collides with input_videos.id','results[].output_video.id');
INSERT INTO "data_dictionary" VALUES('output_videos','job_id','job that made it, as upstream states it','results[].output_video.job_id');
INSERT INTO "data_dictionary" VALUES('output_videos','preview_before','URL of the preview before, without query string','results[].output_video.preview_videos.before_video');
INSERT INTO "data_dictionary" VALUES('output_videos','preview_after','URL of the preview after, without query string','results[].output_video.preview_videos.after_video');
INSERT INTO "data_dictionary" VALUES('output_videos','name','media name','results[].output_video.name');
INSERT INTO "data_dictionary" VALUES('output_videos','width','width in pixels','results[].output_video.width');
INSERT INTO "data_dictionary" VALUES('output_videos','height','height in pixels','results[].output_video.height');
INSERT INTO "data_dictionary" VALUES('output_videos','created_at','when the media was created upstream (UTC)','results[].output_video.created_at');
INSERT INTO "data_dictionary" VALUES('output_videos','n_frames','number of frames','results[].output_video.n_frames');
INSERT INTO "data_dictionary" VALUES('output_videos','framerate','frames per second','results[].output_video.framerate');
INSERT INTO "data_dictionary" VALUES('output_videos','size','size in bytes','results[].output_video.size');
INSERT INTO "data_dictionary" VALUES('output_videos','owner','user id of the owner','results[].output_video.owner');
INSERT INTO "data_dictionary" VALUES('output_videos','thumbnail','URL of the thumbnail without its query string','results[].output_video.thumbnail');
INSERT INTO "data_dictionary" VALUES('output_videos','bitrate','bits per second','results[].output_video.bitrate');
INSERT INTO "data_dictionary" VALUES('output_videos','codec_id','codec as MediaInfo names it, for example avc1','results[].output_video.codec_id');
INSERT INTO "data_dictionary" VALUES('output_videos','bit_depth','bits per sample','results[].output_video.bit_depth');
INSERT INTO "data_dictionary" VALUES('output_videos','chroma_subsampling','for example 4:2:0','results[].output_video.chroma_subsampling');
INSERT INTO "data_dictionary" VALUES('output_videos','color_space','for example YUV','results[].output_video.color_space');
INSERT INTO "data_dictionary" VALUES('output_videos','file','URL of the media without its presigned query string; null if not stored upstream','results[].output_video.file');
INSERT INTO "data_dictionary" VALUES('output_videos','deleted','when the media was deleted upstream (UTC); null if it was not','results[].output_video.deleted');
INSERT INTO "data_dictionary" VALUES('output_videos','quality_score','rating by the user, 1 worst to 5 best; null if not rated','results[].output_video.quality_score');
INSERT INTO "data_dictionary" VALUES('output_videos','extra','JSON object of the keys upstream sent that have no column; null when none',NULL);
INSERT INTO "data_dictionary" VALUES('output_videos','first_seen_at','when the mirror first saw this row (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('output_videos','changed_at','when the mirror last saw a column of this row change (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','','one row per run of the syncer',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','id','number of the run',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','kind','full (a walk of the whole list) or poll',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','outcome','running, succeeded, failed, interrupted, abandoned',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','certified','whether the run proved that the mirror held exactly the listed jobs at one instant',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','certificate','JSON: the numbers of the proof, or the reason there is none',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','started_at','when the run began (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','finished_at','when the run ended (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','requests','requests sent, retries included',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','retries','requests sent again after a fault',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','pages','pages of the list received',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','upstream_count','how many jobs the API said there are',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_seen','distinct jobs received',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_inserted','jobs the mirror did not know',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_updated','known jobs with a change',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_unchanged','known jobs without a change',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','transitions','status changes recorded, first sightings not counted',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','field_changes','other changes recorded',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_gone','jobs found gone',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','jobs_returned','jobs listed again after they were not',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','quarantined','payloads put into quarantine or noted there',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','error','why the run failed',NULL);
INSERT INTO "data_dictionary" VALUES('sync_runs','covered','whether the run saw every job it stands for: all listed ones (full), all in flight (poll)',NULL);
INSERT INTO "data_dictionary" VALUES('writer_lease','','who may write',NULL);
INSERT INTO "data_dictionary" VALUES('writer_lease','scope','what is held; one row, mirror',NULL);
INSERT INTO "data_dictionary" VALUES('writer_lease','epoch','grows with every holder; a writer with an older epoch writes nothing',NULL);
INSERT INTO "data_dictionary" VALUES('writer_lease','holder','host, process id and start of the writer',NULL);
INSERT INTO "data_dictionary" VALUES('writer_lease','expires_at','until when it is held, on the database''s clock (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','','every change after the first sighting of every column that is not volatile; append-only',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','id','number of the change',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','entity','job, input_video, output_video or ml_model',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','entity_id','id of that entity',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','field','column, or ml_models for a job''s list of models',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','old_value','value before, as text; null if there was none',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','new_value','value after, as text; null if there is none',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','observed_at','when the mirror saw the new value (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('field_changes','sync_run_id','run that saw it; null for what an operator did',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','','one row per job, as last seen; never deleted','results[]');
INSERT INTO "data_dictionary" VALUES('jobs','id','id of the job','results[].id');
INSERT INTO "data_dictionary" VALUES('jobs','status','0 queued, 1 processing, 2 finished, -1 failed, -2 canceled; see job_statuses','results[].status');
INSERT INTO "data_dictionary" VALUES('jobs','preview','free preview: not charged, watermarked, a short segment only','results[].preview');
INSERT INTO "data_dictionary" VALUES('jobs','description','free text','results[].description');
INSERT INTO "data_dictionary" VALUES('jobs','cost_usd','cost in Credits, despite its upstream name; exact to 4 decimals','results[].cost_usd');
INSERT INTO "data_dictionary" VALUES('jobs','eta_s','estimated seconds to the end; volatile, not in field_changes','results[].eta_s');
INSERT INTO "data_dictionary" VALUES('jobs','processing_progress','ratio from 0 to 1; volatile, not in field_changes','results[].processing_progress');
INSERT INTO "data_dictionary" VALUES('jobs','started','upstream''s start time (UTC); stated for queued jobs too, so probably creation','results[].started');
INSERT INTO "data_dictionary" VALUES('jobs','finished','upstream''s finish time (UTC)','results[].finished');
INSERT INTO "data_dictionary" VALUES('jobs','input_video_id','input video; stays when upstream detaches it','results[].input_video.id');
INSERT INTO "data_dictionary" VALUES('jobs','output_video_id','enhanced video; stays when upstream detaches it','results[].output_video.id');
INSERT INTO "data_dictionary" VALUES('jobs','grain','film grain added, 0 to 1','results[].grain');
INSERT INTO "data_dictionary" VALUES('jobs','codec','codec of the output: libx264, libx265, prores_ks','results[].codec');
INSERT INTO "data_dictionary" VALUES('jobs','output_resolution','output resolution code, see output_resolutions','results[].output_resolution');
INSERT INTO "data_dictionary" VALUES('jobs','comparison','whether the output shows original and enhanced side by side','results[].comparison');
INSERT INTO "data_dictionary" VALUES('jobs','stabilization_smoothing','strength of stabilization','results[].stabilization_smoothing');
INSERT INTO "data_dictionary" VALUES('jobs','fps_interpolation_factor','1.5 gives 1.5 times the frames; 1 leaves them','results[].fps_interpolation_factor');
INSERT INTO "data_dictionary" VALUES('jobs','playback_speed','0.5 is half speed','results[].playback_speed');
INSERT INTO "data_dictionary" VALUES('jobs','sharpen_strength','strength of sharpening','results[].sharpen_strength');
INSERT INTO "data_dictionary" VALUES('jobs','start_frame','first frame enhanced','results[].start_frame');
INSERT INTO "data_dictionary" VALUES('jobs','end_frame','last frame enhanced','results[].end_frame');
INSERT INTO "data_dictionary" VALUES('jobs','extra','JSON object of the keys upstream sent that have no column; null when none',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','first_seen_at','when the mirror first saw this row (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','changed_at','when the mirror last saw a column of this row change (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','presence','listed, missing (absent from a certified walk, not yet explained), unlisted (answers by id only), gone (404)',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','gone_at','when the job was found gone (UTC); null unless presence is gone',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','input_video_detached_at','since when upstream shows the job without the input video it had (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','output_video_detached_at','since when upstream shows the job without the output video it had (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('jobs','fingerprint','hash of the last answer without the queries of its URLs: equal means no news; working column',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','','payloads, whole, of which something could not be mirrored',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','id','number of the entry',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','job_id','job, as far as readable; null if not',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','reason','what could not be mirrored and why',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','payload','the item as received, JSON in ASCII, query strings of URLs removed',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','first_seen_at','when the mirror first received it (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','last_seen_at','when the mirror last received it (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','sync_run_id','run that received it first',NULL);
INSERT INTO "data_dictionary" VALUES('quarantined_jobs','resolved_at','when the job was mirrored after all, or was off the list (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','','working notes on jobs that the list lacks; removed when a job is listed again',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','absent_since','when a certified walk first lacked the job (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','looked_up_at','when the job was last asked for by id (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','answer','what the API answered: found, not found, or why it could not be told',NULL);
INSERT INTO "data_dictionary" VALUES('job_absences','confirmed_at','when an operator allowed the mirror to mark it gone (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_ml_models','','which models a job uses, in the API''s order',NULL);
INSERT INTO "data_dictionary" VALUES('job_ml_models','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_ml_models','position','place in the API''s list, from 0',NULL);
INSERT INTO "data_dictionary" VALUES('job_ml_models','ml_model_id','model',NULL);
INSERT INTO "data_dictionary" VALUES('job_ml_models','cost_weight','the model''s cost weight when the job was first seen with it',NULL);
INSERT INTO "data_dictionary" VALUES('job_progress_samples','','progress and ETA while processing; old samples are removed',NULL);
INSERT INTO "data_dictionary" VALUES('job_progress_samples','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_progress_samples','observed_at','when the mirror saw it (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_progress_samples','processing_progress','ratio from 0 to 1',NULL);
INSERT INTO "data_dictionary" VALUES('job_progress_samples','eta_s','estimated seconds to the end',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','','one row per status change that the API showed; append-only',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','seq','number of the change within the job, from 1',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','from_status','status before; null in the first row',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','to_status','status after',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','not_before','when the mirror last saw the old status (UTC); null in the first row',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','observed_at','when the mirror saw the new status (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','occurred_at','the moment upstream states for it (UTC), else null',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','sync_run_id','run that saw it',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','row_hash','SHA-256 of the previous entry''s hash and this row, hex',NULL);
INSERT INTO "data_dictionary" VALUES('job_status_history','entry','place in the hash chain, from 1, no gaps',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','','A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','status','status code',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','status_name','status',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','presence','listed, missing or unlisted',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','preview','free preview',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','description','free text',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','input_name','name of the input video',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','models','names of the models, separated by commas',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','resolution','output resolution',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','credits','what it costs; a preview 0',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','started','upstream''s start time, probably the creation',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','waiting_s','seconds since then, on the database''s clock',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','status_since','when upstream says that it came into its status, else when the mirror saw it there',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','status_s','seconds since then',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','processing_progress','ratio from 0 to 1, as last seen',NULL);
INSERT INTO "data_dictionary" VALUES('active_jobs','eta_s','estimated seconds to the end, as last seen',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','','Credits per month (UTC) and model: a job''s cost shared among its models by their weights at the time.',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','month','month in which the jobs count, YYYY-MM',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','ml_model_id','model; null for jobs without models or weights',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','model','its name',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','task','name of its task',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','jobs','jobs that used it; a job with two models counts for each',NULL);
INSERT INTO "data_dictionary" VALUES('cost_by_model','credits','its share of their cost; sums to jobs.cost_usd exactly',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','','A change of what a job costs after it was first seen.',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','field_change_id','number of the change in field_changes',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','observed_at','when the mirror saw it',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','old_cost','cost before, as it stands in field_changes; null if upstream stated none',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','new_cost','cost after',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','units','by how much it moved, in ten-thousandths of a Credit',NULL);
INSERT INTO "data_dictionary" VALUES('cost_corrections','credits','the same in Credits',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','','A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','entry','0 for the charge, else the number in field_changes of the change that corrected it',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','kind','charge: what the job cost when it was first seen; correction: by how much a change moved that',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','booked_at','charge: when the job finished, else started, else was first seen; correction: when it was seen',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','day','day of booked_at (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','month','its month, YYYY-MM',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','credits','the amount; each job has one charge, of 0 if it was without a cost',NULL);
INSERT INTO "data_dictionary" VALUES('cost_ledger','preview','whether the job is a free preview: what upstream states as its cost is not charged',NULL);
INSERT INTO "data_dictionary" VALUES('daily_costs','','Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.',NULL);
INSERT INTO "data_dictionary" VALUES('daily_costs','day','day (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('daily_costs','jobs','jobs that count on it',NULL);
INSERT INTO "data_dictionary" VALUES('daily_costs','credits','what they cost; sums to jobs.cost_usd exactly, previews left out',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','','How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','ml_model_id','model; a job with two models counts for each',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','model','its name',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','progress_from','progress in percent, lower end of the tenth: 0, 10 ... 90',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','jobs','finished jobs with samples',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','samples','samples',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','mean_error_s','mean of predicted minus true seconds left: above 0 the ETA was too pessimistic',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','mean_abs_error_s','mean of its absolute value',NULL);
INSERT INTO "data_dictionary" VALUES('eta_accuracy','mean_relative_error','mean of the absolute error by the true seconds left',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','','Jobs, failures and cancellations per month (UTC), model and output resolution; free previews count too.',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','month','month in which the jobs count, YYYY-MM',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','ml_model_id','model; null for jobs without one; a job with two models counts for each',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','model','its name',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','resolution','output resolution',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','jobs','jobs, those in flight included',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','finished','jobs that finished',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','failures','jobs that failed',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','cancellations','jobs that were canceled',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','failure_rate','failures by all that ended, 0 to 1; null if none ended',NULL);
INSERT INTO "data_dictionary" VALUES('failure_rates','credits_failed','what the failed jobs cost, as upstream states it',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','','A row of cost_ledger in the columns of the FinOps FOCUS specification 1.2; sums to jobs.cost_usd exactly.',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BilledCost','amount in Credits, signed; an account buys Credits beforehand, no national currency is known here',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BillingAccountId','user- and the number of the account''s user; unknown before the first output',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BillingAccountName','always null: the API names no account',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BillingCurrency','XXX, the code of ISO 4217 for no currency: the amounts are Credits, see PricingCurrency',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BillingPeriodStart','first instant of the ledger entry''s month (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','BillingPeriodEnd','first instant after it',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargeCategory','always Usage',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargeClass','Correction for a correction: Credits are taken at once, so it corrects what was settled; else null',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargeDescription','the job, and its models',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargeFrequency','always Usage-Based',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargePeriodStart','first instant of the ledger entry''s day (UTC)',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ChargePeriodEnd','first instant after it',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ConsumedQuantity','1 job; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ConsumedUnit','Jobs; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ContractedCost','as BilledCost',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ContractedUnitPrice','1 per Credit; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','EffectiveCost','as BilledCost',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','InvoiceIssuerName','always TensorPix',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ListCost','as BilledCost',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ListUnitPrice','1 per Credit; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingCategory','always Standard',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingCurrency','always Credits',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingCurrencyContractedUnitPrice','as ContractedUnitPrice',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingCurrencyEffectiveCost','as EffectiveCost',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingCurrencyListUnitPrice','as ListUnitPrice',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingQuantity','Credits charged; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PricingUnit','Credits; null for a correction',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ProviderName','always TensorPix',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','PublisherName','always TensorPix',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ResourceId','job- and the number of the job',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ResourceName','name of its input video',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ResourceType','always Job',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ServiceCategory','always Media',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ServiceName','always Video Enhancement',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','ServiceSubcategory','always Content Creation',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','x_JobId','job',NULL);
INSERT INTO "data_dictionary" VALUES('focus_costs','x_LedgerEntry','entry of cost_ledger: 0 for the charge, else the number of the change',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','','Seconds that a job was in a status, lower and upper bound; a status that the mirror never saw it in has no row.',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','status','status code; one that is over has no end and no row',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','status_name','status',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','visits','how many times the job was seen in it',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','is_open','whether the job is still in it',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','lower_s','it was in it for at least so many seconds',NULL);
INSERT INTO "data_dictionary" VALUES('job_durations','upper_s','and at most for so many; null if that is open',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','','A model of a job with its share of the job''s cost; a job without models or weights keeps its cost in one row without.',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','position','place of the model in the API''s list, from 0; null in the row without a model',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','ml_model_id','model; null if no model of the job has a weight above 0',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','cost_weight','the model''s weight when the job was first seen with it',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','share_units','the share in ten-thousandths of a Credit',NULL);
INSERT INTO "data_dictionary" VALUES('job_model_costs','credits','the share in Credits; the shares of a job sum to its cost exactly',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','','A job, everything joined and labelled: names instead of codes, both videos'' main figures, cost and times.',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','status','status code, see job_statuses',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','status_name','status',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','is_terminal','whether the job is over',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','presence','listed, missing, unlisted or gone',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','preview','free preview: not charged; false if upstream does not say',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','description','free text',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','day','day (UTC) on which the job counts: when it finished, else when it started, else when it was first seen',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','month','month of that day, YYYY-MM',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','started','upstream''s start time, probably the creation',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','finished','upstream''s finish time',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','credits','what the job counts in every sum: its cost in Credits, 0 for a preview; null if upstream states none',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','cost_usd','the cost as upstream states it, in Credits despite its name',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','credits_per_output_minute','credits by the minutes of the output video',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','models','names of the models in the API''s order, separated by commas',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','tasks','names of the models'' tasks, in the same order',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','codec','codec of the output',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','resolution','output resolution',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_video_id','input video',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_name','its name',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_owner','e-mail address of its owner (personal data)',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_width','its width in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_height','its height in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_megapixels','its millions of pixels per frame',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_duration_s','its length in seconds',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','input_size','its size in bytes',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_video_id','output video',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_name','its name',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_width','its width in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_height','its height in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_megapixels','its millions of pixels per frame',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_duration_s','its length in seconds',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_size','its size in bytes',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','output_deleted_at','when it was deleted upstream; null if it was not',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','quality_score','rating by the user, 1 worst to 5 best',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','queue_s','seconds in the queue, the best estimate; null if the mirror did not see it; bounds in job_durations',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','processing_s','seconds in processing, likewise',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','turnaround_s','seconds from started to finished, as upstream states them',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','processing_progress','ratio from 0 to 1',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','eta_s','estimated seconds to the end',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','first_seen_at','when the mirror first saw the job',NULL);
INSERT INTO "data_dictionary" VALUES('job_overview','changed_at','when the mirror last saw it change',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','','A status change that the API showed, labelled; the first row of a job is the mirror''s first sight of it.',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','job_id','job',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','seq','number of the change within the job, from 1',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','from_status','status code before; null in the first row',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','from_name','status before',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','to_status','status code after',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','to_name','status after',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','happened_at','the moment upstream states, else when the mirror saw it',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','not_before','when the mirror last saw the old status; null in the first row',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','observed_at','when the mirror saw the new one',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','occurred_at','the moment upstream states, else null',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','preview','whether the job is a free preview',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','description','the job''s free text',NULL);
INSERT INTO "data_dictionary" VALUES('status_transitions','sync_run_id','run that saw it',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','','An output that still takes space upstream, largest first: not deleted, not taken from its job, its job not gone.',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','output_video_id','output video',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','job_id','job that made it',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','name','media name',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','size','size in bytes',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','share','its part of all that is listed here, 0 to 1',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','cumulative_size','bytes of this output and all larger ones',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','created_at','when it was created upstream',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','width','width in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','height','height in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','duration_s','length in seconds',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','codec','codec that the job asked for',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','preview','whether it is a free preview',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','quality_score','rating by the user, 1 worst to 5 best',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','credits','what the job cost; a preview 0',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','description','the job''s free text',NULL);
INSERT INTO "data_dictionary" VALUES('storage_usage','file','URL without its presigned query string',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','','How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','certified_at','the last instant at which the mirror is proven to have held exactly the listed jobs; null: never',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','certified_age_s','seconds since then, on the database''s clock',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_run_id','newest run; null if there was none',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_run_kind','full or poll',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_run_outcome','running, succeeded, failed, interrupted or abandoned',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_run_at','when it began',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_success_at','when a run last ended well',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_failure_at','when a run last failed',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','last_error','why it failed',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','jobs','jobs in the mirror, gone ones included',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','in_flight','jobs that are not over and not gone',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','missing','jobs that the list lacks without an explanation yet',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','waiting_for_operator','those of them that wait for tpmirror gone confirm or restore',NULL);
INSERT INTO "data_dictionary" VALUES('sync_health','quarantined','payloads that could not be mirrored, or not whole, and are not resolved',NULL);
INSERT INTO "data_dictionary" VALUES('videos','','A video of either kind; an id may stand twice, once as an input and once as an output.',NULL);
INSERT INTO "data_dictionary" VALUES('videos','kind','input or output',NULL);
INSERT INTO "data_dictionary" VALUES('videos','video_id','id, unique within its kind',NULL);
INSERT INTO "data_dictionary" VALUES('videos','job_id','job that made it; null for inputs, which may serve many jobs',NULL);
INSERT INTO "data_dictionary" VALUES('videos','name','media name',NULL);
INSERT INTO "data_dictionary" VALUES('videos','owner','inputs: e-mail address (personal data), outputs: user id',NULL);
INSERT INTO "data_dictionary" VALUES('videos','width','width in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('videos','height','height in pixels',NULL);
INSERT INTO "data_dictionary" VALUES('videos','megapixels','millions of pixels per frame',NULL);
INSERT INTO "data_dictionary" VALUES('videos','n_frames','number of frames',NULL);
INSERT INTO "data_dictionary" VALUES('videos','framerate','frames per second',NULL);
INSERT INTO "data_dictionary" VALUES('videos','duration_s','length in seconds',NULL);
INSERT INTO "data_dictionary" VALUES('videos','size','size in bytes',NULL);
INSERT INTO "data_dictionary" VALUES('videos','bitrate','bits per second',NULL);
INSERT INTO "data_dictionary" VALUES('videos','codec_id','codec as MediaInfo names it',NULL);
INSERT INTO "data_dictionary" VALUES('videos','bit_depth','bits per sample',NULL);
INSERT INTO "data_dictionary" VALUES('videos','chroma_subsampling','for example 4:2:0',NULL);
INSERT INTO "data_dictionary" VALUES('videos','color_space','for example YUV',NULL);
INSERT INTO "data_dictionary" VALUES('videos','quality_score','rating of an output, 1 worst to 5 best',NULL);
INSERT INTO "data_dictionary" VALUES('videos','created_at','when it was created upstream',NULL);
INSERT INTO "data_dictionary" VALUES('videos','deleted_at','when an output was deleted upstream; null if it was not',NULL);
INSERT INTO "data_dictionary" VALUES('videos','file','URL without its presigned query string',NULL);
INSERT INTO "data_dictionary" VALUES('videos','first_seen_at','when the mirror first saw it',NULL);
INSERT INTO "data_dictionary" VALUES('videos','changed_at','when the mirror last saw it change',NULL);
CREATE TABLE field_changes (
	id INTEGER NOT NULL, 
	entity TEXT NOT NULL, 
	entity_id BIGINT NOT NULL, 
	field TEXT NOT NULL, 
	old_value TEXT, 
	new_value TEXT, 
	observed_at TEXT NOT NULL, 
	sync_run_id INTEGER, 
	CONSTRAINT pk_field_changes PRIMARY KEY (id), 
	CONSTRAINT fk_field_changes_sync_run_id FOREIGN KEY(sync_run_id) REFERENCES sync_runs (id)
);
INSERT INTO "field_changes" VALUES(1,'job',18,'finished',NULL,'2025-02-03T09:02:15.145731Z','2025-02-03 09:04:00.296000+00:00',3);
INSERT INTO "field_changes" VALUES(2,'job',19,'finished',NULL,'2025-02-03T09:04:50Z','2025-02-03 09:05:50.666000+00:00',8);
INSERT INTO "field_changes" VALUES(3,'job',19,'output_video_id',NULL,'16','2025-02-03 09:05:50.666000+00:00',8);
INSERT INTO "field_changes" VALUES(4,'job',13,'cost_usd','1.2500',NULL,'2025-02-03 10:05:50.740000+00:00',9);
INSERT INTO "field_changes" VALUES(5,'job',14,'cost_usd','1.2500',NULL,'2025-02-03 10:05:50.740000+00:00',9);
INSERT INTO "field_changes" VALUES(6,'job',17,'finished',NULL,'2025-02-03T09:09:24.462899Z','2025-02-03 10:05:50.740000+00:00',9);
INSERT INTO "field_changes" VALUES(7,'job',17,'output_video_id',NULL,'17','2025-02-03 10:05:50.740000+00:00',9);
INSERT INTO "field_changes" VALUES(8,'job',1,'cost_usd','91.2343','3.5000','2025-02-03 10:05:50.777000+00:00',9);
INSERT INTO "field_changes" VALUES(9,'output_video',1,'quality_score',NULL,'4','2025-02-03 10:05:50.777000+00:00',9);
INSERT INTO "field_changes" VALUES(10,'job',2,'description','','Roof, take 2','2025-02-03 10:05:50.777000+00:00',9);
INSERT INTO "field_changes" VALUES(11,'job',7,'cost_usd','1.2500',NULL,'2025-02-03 10:05:50.777000+00:00',9);
INSERT INTO "field_changes" VALUES(12,'job',3,'presence','listed','gone','2025-02-03 10:05:51.036000+00:00',9);
INSERT INTO "field_changes" VALUES(13,'job',6,'presence','listed','unlisted','2025-02-03 10:05:51.036000+00:00',9);
INSERT INTO "field_changes" VALUES(14,'job',13,'cost_usd',NULL,'1.2500','2025-02-03 11:05:51.073000+00:00',10);
INSERT INTO "field_changes" VALUES(15,'output_video',14,'thumbnail','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/14/thumbnail.jpg',NULL,'2025-02-03 11:05:51.073000+00:00',10);
INSERT INTO "field_changes" VALUES(16,'output_video',14,'file','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/14/video',NULL,'2025-02-03 11:05:51.073000+00:00',10);
INSERT INTO "field_changes" VALUES(17,'output_video',14,'deleted',NULL,'2025-02-03T11:04:50Z','2025-02-03 11:05:51.073000+00:00',10);
INSERT INTO "field_changes" VALUES(18,'job',2,'description','Roof, take 2','Roof, take 3','2025-02-03 11:05:51.110000+00:00',10);
INSERT INTO "field_changes" VALUES(19,'job',4,'presence','listed','missing','2025-02-05 11:05:51.665000+00:00',11);
INSERT INTO "field_changes" VALUES(20,'job',5,'presence','listed','missing','2025-02-05 11:05:51.665000+00:00',11);
INSERT INTO "field_changes" VALUES(21,'job',11,'presence','listed','missing','2025-02-05 11:05:51.665000+00:00',11);
INSERT INTO "field_changes" VALUES(22,'job',20,'finished',NULL,'2025-02-05T12:06:50Z','2025-02-05 12:07:51.776000+00:00',13);
CREATE TABLE input_videos (
	id INTEGER NOT NULL, 
	name TEXT, 
	width INTEGER, 
	height INTEGER, 
	created_at TEXT, 
	n_frames BIGINT, 
	framerate FLOAT, 
	size BIGINT, 
	owner TEXT, 
	thumbnail TEXT, 
	bitrate BIGINT, 
	codec_id TEXT, 
	bit_depth INTEGER, 
	chroma_subsampling TEXT, 
	color_space TEXT, 
	file TEXT, 
	external_url TEXT, 
	extra TEXT, 
	first_seen_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_input_videos PRIMARY KEY (id)
);
INSERT INTO "input_videos" VALUES(1,'tape 3065 side A.avi',1280,720,'2025-02-01 16:40:01.302949+00:00',14666,29.97,107800559,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/1/thumbnail.jpg',1762216,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/1/original',NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(2,'<b>5475</b> & co; --.mp4',1920,1080,'2025-02-01 19:22:52.992818+00:00',2970,60.0,94431885,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/2/thumbnail.jpg',15261018,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/2/original',NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(3,'가족 여행 5661.mp4',720,480,'2025-02-01 19:52:01.293736+00:00',13001,25.0,69681110,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/3/thumbnail.jpg',1071889,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/3/original',NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(4,'Café – nöel 7843.mp4',320,240,'2025-02-01 23:23:15.436348+00:00',1111,30.0,1532072,'alice@example.com',NULL,330718,'avc1',8,'4:2:0','YUV',NULL,'https://media.example.com/in/4.mp4',NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(5,'<b>8930</b> & co; --.mp4',640,480,'2025-02-02 02:41:30.998427+00:00',20864,23.976,125954731,'alice@example.com',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'https://media.example.com/in/5.mp4',NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(6,'GX018912.MP4',1920,1080,'2025-02-02 05:52:26.072572+00:00',63682,30.0,2469095662,'alice@example.com',NULL,9305307,'avc1',8,'4:2:0','YUV',NULL,'https://media.example.com/in/6.mp4',NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(7,'Café – nöel 4307.mp4',720,576,'2025-02-02 09:58:15.197670+00:00',6161,60.0,44127829,'alice@example.com',NULL,3437951,'avc1',8,'4:2:0','YUV',NULL,'https://media.example.com/in/7.mp4',NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(8,'100% 2902\backup.mp4',1440,1080,'2025-02-02 12:53:12.645030+00:00',6190,29.97,147864481,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/8/thumbnail.jpg',5727111,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/8/original',NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "input_videos" VALUES(9,'untitled',640,480,'2025-02-02 15:31:22.299651+00:00',934,29.97,128444033,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/9/thumbnail.jpg',32963279,'apch',10,'4:2:2','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/9/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(11,'סרט משפחתי 2482.mov',320,240,'2025-02-02 20:50:54.281018+00:00',205,29.97,257661,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/11/thumbnail.jpg',300931,'mp4v-20',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/11/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(12,'Café – nöel 5451.mp4',640,480,'2025-02-02 23:30:54.012702+00:00',3350,30.0,12034484,'alice@example.com',NULL,861933,'avc1',8,'4:2:0','YUV',NULL,'https://media.example.com/in/12.mp4',NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(13,'  padded 152 .mp4',1280,720,'2025-02-02 23:43:20.073047+00:00',7450,25.0,423321153,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/thumbnail.jpg',11364216,'dvc',8,'4:1:1','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(14,'IMG_3984.mp4',720,480,'2025-02-03 01:26:57.064745+00:00',722,25.0,5412645,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/thumbnail.jpg',1497946,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(15,'tape 8321 side A.avi',720,480,'2025-02-03 01:46:46.424347+00:00',17880,25.0,37864807,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/15/thumbnail.jpg',NULL,'V_VP9',8,NULL,NULL,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/15/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(16,'tape 6086 side A.avi',720,576,'2025-02-03 03:27:15.879019+00:00',3216,23.976,7294564,'alice@example.com',NULL,434927,'hev1',8,'4:2:0','YUV',NULL,'https://media.example.com/in/16.mp4',NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(17,'interview-take-3169.mkv',720,576,'2025-02-03 07:07:46.060982+00:00',436,23.976,48351233,'alice@example.com',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'https://media.example.com/in/17.mp4',NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(18,'O''Brien "the best" 9469.mp4',720,576,'2025-02-03 08:19:26.209231+00:00',1432,30.0,8060596,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/18/thumbnail.jpg',1349999,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/18/original',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "input_videos" VALUES(19,'DJI_8923.MP4',1280,720,'2025-02-03 07:08:32.000000+00:00',1080,30.0,19801335,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/19/thumbnail.jpg',4397442,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/19/original',NULL,NULL,'2025-02-03 09:04:00.370000+00:00','2025-02-03 09:04:00.370000+00:00');
INSERT INTO "input_videos" VALUES(20,'Zażółć gęślą jaźń 6801.mp4',544,368,'2025-02-05 11:43:11.000000+00:00',12879,30.0,51449099,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/20/thumbnail.jpg',NULL,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/20/original',NULL,NULL,'2025-02-05 12:06:51.702000+00:00','2025-02-05 12:06:51.702000+00:00');
INSERT INTO "input_videos" VALUES(21,'  padded 6116 .mp4',1440,1080,'2025-02-05 11:02:28.000000+00:00',686,30.0,23962257,'alice@example.com','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/21/thumbnail.jpg',8380875,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/21/original',NULL,NULL,'2025-02-05 12:07:51.850000+00:00','2025-02-05 12:07:51.850000+00:00');
CREATE TABLE job_absences (
	job_id INTEGER NOT NULL, 
	absent_since TEXT NOT NULL, 
	looked_up_at TEXT, 
	answer TEXT, 
	confirmed_at TEXT, 
	CONSTRAINT pk_job_absences PRIMARY KEY (job_id), 
	CONSTRAINT fk_job_absences_job_id FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "job_absences" VALUES(4,'2025-02-05 11:05:51.665000+00:00','2025-02-05 11:05:51.554000+00:00','not found',NULL);
INSERT INTO "job_absences" VALUES(5,'2025-02-05 11:05:51.665000+00:00','2025-02-05 11:05:51.591000+00:00','not found','2025-02-05 11:06:51.665000+00:00');
INSERT INTO "job_absences" VALUES(6,'2025-02-03 10:05:51.036000+00:00','2025-02-03 11:05:51.295000+00:00','found',NULL);
INSERT INTO "job_absences" VALUES(11,'2025-02-05 11:05:51.665000+00:00','2025-02-05 11:05:51.628000+00:00','not found',NULL);
CREATE TABLE job_ml_models (
	job_id INTEGER NOT NULL, 
	position SMALLINT NOT NULL, 
	ml_model_id INTEGER NOT NULL, 
	cost_weight FLOAT, 
	CONSTRAINT pk_job_ml_models PRIMARY KEY (job_id, position), 
	CONSTRAINT fk_job_ml_models_job_id FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT fk_job_ml_models_ml_model_id FOREIGN KEY(ml_model_id) REFERENCES ml_models (id)
);
INSERT INTO "job_ml_models" VALUES(9,0,42,0.75);
INSERT INTO "job_ml_models" VALUES(11,0,46,1.5);
INSERT INTO "job_ml_models" VALUES(12,0,23,0.8);
INSERT INTO "job_ml_models" VALUES(12,1,31,0.5);
INSERT INTO "job_ml_models" VALUES(12,2,34,0.5);
INSERT INTO "job_ml_models" VALUES(13,0,18,1.0);
INSERT INTO "job_ml_models" VALUES(14,0,18,1.0);
INSERT INTO "job_ml_models" VALUES(14,1,51,0.6);
INSERT INTO "job_ml_models" VALUES(15,0,40,0.3);
INSERT INTO "job_ml_models" VALUES(16,0,46,1.5);
INSERT INTO "job_ml_models" VALUES(17,0,34,0.5);
INSERT INTO "job_ml_models" VALUES(17,1,47,0.5);
INSERT INTO "job_ml_models" VALUES(18,0,44,2.0);
INSERT INTO "job_ml_models" VALUES(18,1,43,0.4);
INSERT INTO "job_ml_models" VALUES(1,0,31,0.5);
INSERT INTO "job_ml_models" VALUES(1,1,38,1.0);
INSERT INTO "job_ml_models" VALUES(2,0,12,0.25);
INSERT INTO "job_ml_models" VALUES(2,1,36,1.25);
INSERT INTO "job_ml_models" VALUES(3,0,34,0.5);
INSERT INTO "job_ml_models" VALUES(4,0,23,0.8);
INSERT INTO "job_ml_models" VALUES(4,1,27,0.2);
INSERT INTO "job_ml_models" VALUES(5,0,46,1.5);
INSERT INTO "job_ml_models" VALUES(5,1,36,1.25);
INSERT INTO "job_ml_models" VALUES(6,0,12,0.25);
INSERT INTO "job_ml_models" VALUES(6,1,46,1.5);
INSERT INTO "job_ml_models" VALUES(7,0,15,0.1);
INSERT INTO "job_ml_models" VALUES(7,1,45,0.5);
INSERT INTO "job_ml_models" VALUES(8,0,44,2.0);
INSERT INTO "job_ml_models" VALUES(19,0,36,1.25);
INSERT INTO "job_ml_models" VALUES(20,0,23,0.8);
INSERT INTO "job_ml_models" VALUES(21,0,12,0.25);
INSERT INTO "job_ml_models" VALUES(21,1,31,0.5);
INSERT INTO "job_ml_models" VALUES(21,2,27,0.2);
CREATE TABLE job_progress_samples (
	job_id INTEGER NOT NULL, 
	observed_at TEXT NOT NULL, 
	processing_progress FLOAT, 
	eta_s FLOAT, 
	CONSTRAINT pk_job_progress_samples PRIMARY KEY (job_id, observed_at), 
	CONSTRAINT fk_job_progress_samples_job_id FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:00:00.037000+00:00',0.05,859.1);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:02:00.222000+00:00',0.24,590.0);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:04:00.296000+00:00',0.45,251.4);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:04:30.444000+00:00',0.49,231.8);
INSERT INTO "job_progress_samples" VALUES(19,'2025-02-03 09:04:30.444000+00:00',0.0,3175.7);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:05:10.518000+00:00',0.53,437.3);
INSERT INTO "job_progress_samples" VALUES(19,'2025-02-03 09:05:10.518000+00:00',0.01,3094.1);
INSERT INTO "job_progress_samples" VALUES(17,'2025-02-03 09:05:50.592000+00:00',0.57,381.7);
INSERT INTO "job_progress_samples" VALUES(19,'2025-02-03 09:05:50.592000+00:00',0.03,3048.6);
INSERT INTO "job_progress_samples" VALUES(21,'2025-02-05 12:07:51.850000+00:00',0.0,921.2);
INSERT INTO "job_progress_samples" VALUES(21,'2025-02-05 12:08:11.924000+00:00',0.03,430.9);
INSERT INTO "job_progress_samples" VALUES(21,'2025-02-05 12:11:11.998000+00:00',0.27,283.8);
CREATE TABLE job_status_history (
	job_id INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	from_status SMALLINT, 
	to_status SMALLINT NOT NULL, 
	not_before TEXT, 
	observed_at TEXT NOT NULL, 
	occurred_at TEXT, 
	sync_run_id INTEGER NOT NULL, 
	row_hash TEXT NOT NULL, 
	entry BIGINT NOT NULL, 
	CONSTRAINT pk_job_status_history PRIMARY KEY (job_id, seq), 
	CONSTRAINT fk_job_status_history_job_id FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT fk_job_status_history_sync_run_id FOREIGN KEY(sync_run_id) REFERENCES sync_runs (id), 
	CONSTRAINT uq_job_status_history_entry UNIQUE (entry)
);
INSERT INTO "job_status_history" VALUES(9,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-02 17:32:42.789105+00:00',1,'9cb9f2a935e7ce585d5ba43c3e3da4fe601a7925ac0facf803a53f0ac3531694',1);
INSERT INTO "job_status_history" VALUES(11,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-02 22:55:43.181402+00:00',1,'29060e7543788d6a3f69a07a771f885f8a0d3eb6cb79f787d58ad367ef7a7c10',2);
INSERT INTO "job_status_history" VALUES(12,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 01:03:33.028365+00:00',1,'786b39a48130b56ddd5d76e5e0ca8504177c17e1bf9b05e6e1097861d4274e5e',3);
INSERT INTO "job_status_history" VALUES(13,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 01:29:07.760985+00:00',1,'c2ac07db5d42e5906359b965d2068971236de6b41d21d4440d4f8bec6f3405ec',4);
INSERT INTO "job_status_history" VALUES(14,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 03:18:22.907142+00:00',1,'ee7bc9844a6c454fd3f5a5a5329754f4943b987dbe64ee27219af6cbcf719288',5);
INSERT INTO "job_status_history" VALUES(15,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 03:37:12.064242+00:00',1,'2dcba1bc6a224cd2653c46ef976b35145b1ff0751f6ed7249b10dd70c2c9842e',6);
INSERT INTO "job_status_history" VALUES(16,1,NULL,2,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 05:07:20.038386+00:00',1,'240e29f6a37d7cccdaf282c23207211e0c9ee95e913d38559282b00c4ae1832c',7);
INSERT INTO "job_status_history" VALUES(17,1,NULL,1,NULL,'2025-02-03 09:00:00.037000+00:00',NULL,1,'f476b39b315a3333621ef835798adbb867ee1ace46dc92e10dd2f3e5fbef1f84',8);
INSERT INTO "job_status_history" VALUES(18,1,NULL,0,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 08:58:07.209231+00:00',1,'d12baef3f44235c9977943aec6456f6fd139015860a8769c24c720a0f4ef2144',9);
INSERT INTO "job_status_history" VALUES(1,1,NULL,-2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-01 17:00:13.747403+00:00',1,'873a2617b9385496a6e63ab1f3607b439eae1e14bef46af404ebd2c0fafd7bbe',10);
INSERT INTO "job_status_history" VALUES(2,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-01 19:35:39.059821+00:00',1,'6a496a0b0b4f203034cb204d246cafe58bbd377d0555dec2216174e291d8fb6b',11);
INSERT INTO "job_status_history" VALUES(3,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-01 21:37:22.873084+00:00',1,'fe883cb74cb62477272adf3571de1a32df575e2b150b9cefc746f54b509a584b',12);
INSERT INTO "job_status_history" VALUES(4,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-02 00:39:22.283204+00:00',1,'42938684f33e504dbd97edc742c2433dd078db869131049f59ce226fabfd55d0',13);
INSERT INTO "job_status_history" VALUES(5,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-02 04:37:47.635654+00:00',1,'c975a70323adfd102fe92c2a50645690a8b4a418acf69a34f5f328dece45a53c',14);
INSERT INTO "job_status_history" VALUES(6,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-02 06:23:26.473602+00:00',1,'5d6e254ed3962b06f72b420eb8d71affb53fc1e6f5c2dcfef2d2259eea44363d',15);
INSERT INTO "job_status_history" VALUES(7,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-02 10:51:07.657468+00:00',1,'10364c94305b48e2efe52a3b375010a88f61ce1db0fd7286a9af2e35dcc34547',16);
INSERT INTO "job_status_history" VALUES(8,1,NULL,2,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-02 13:42:00.579765+00:00',1,'3e40e6e57e0494db893b5f5be53d4725117d247d0ec7a7d6b21d4595cf600d48',17);
INSERT INTO "job_status_history" VALUES(18,2,0,-1,'2025-02-03 09:02:00.185000+00:00','2025-02-03 09:04:00.296000+00:00','2025-02-03 09:02:15.145731+00:00',3,'3e93c6c5c5c757706b09024d6566d07af28135e302a1034c1041e56a7d08acd4',18);
INSERT INTO "job_status_history" VALUES(19,1,NULL,0,NULL,'2025-02-03 09:04:00.370000+00:00','2025-02-03 09:03:00.000000+00:00',4,'10c779f88cb41e0e407131a3280597773ec96e3cec98d437e98bfb3fbe8f2323',19);
INSERT INTO "job_status_history" VALUES(19,2,0,1,'2025-02-03 09:04:00.370000+00:00','2025-02-03 09:04:30.444000+00:00',NULL,5,'201092752c09492a98966faa5141296e342cbf8dcd5ad1ce4337b7200a5de4fb',20);
INSERT INTO "job_status_history" VALUES(19,3,1,2,'2025-02-03 09:05:50.555000+00:00','2025-02-03 09:05:50.666000+00:00','2025-02-03 09:04:50.000000+00:00',8,'ee791add4b898df50229e0a7a39c6a9fa404b7f9d4491d46e55a517b5692f1fb',21);
INSERT INTO "job_status_history" VALUES(17,2,1,2,'2025-02-03 09:05:50.629000+00:00','2025-02-03 10:05:50.740000+00:00','2025-02-03 09:09:24.462899+00:00',9,'3879f174b023690ef9cf9e88cc4ba0d8011bd6476a5d01d68d2227ad3ab6048d',22);
INSERT INTO "job_status_history" VALUES(20,1,NULL,0,NULL,'2025-02-05 12:06:51.702000+00:00','2025-02-05 12:05:50.000000+00:00',12,'a77721901e6021e34305a7cab87ad254d660059a229df7873d59cc437dc0e5e1',23);
INSERT INTO "job_status_history" VALUES(20,2,0,-2,'2025-02-05 12:06:51.702000+00:00','2025-02-05 12:07:51.776000+00:00','2025-02-05 12:06:50.000000+00:00',13,'21fa939046fb84fecbeb8f4b8bfb368226c0414f9f23c4350aadd38eafb42964',24);
INSERT INTO "job_status_history" VALUES(21,1,NULL,1,NULL,'2025-02-05 12:07:51.850000+00:00',NULL,14,'5c19c80026deda322dffd81931ac242fbc627f0ab01938db7a206d0ee6792364',25);
CREATE TABLE job_statuses (
	code SMALLINT NOT NULL, 
	name TEXT NOT NULL, 
	is_terminal BOOLEAN NOT NULL, 
	CONSTRAINT pk_job_statuses PRIMARY KEY (code)
);
INSERT INTO "job_statuses" VALUES(0,'In Queue',0);
INSERT INTO "job_statuses" VALUES(1,'Processing',0);
INSERT INTO "job_statuses" VALUES(2,'Finished',1);
INSERT INTO "job_statuses" VALUES(-1,'Failed',1);
INSERT INTO "job_statuses" VALUES(-2,'Canceled',1);
CREATE TABLE jobs (
	id INTEGER NOT NULL, 
	status SMALLINT NOT NULL, 
	preview BOOLEAN, 
	description TEXT, 
	cost_usd FLOAT, 
	eta_s FLOAT, 
	processing_progress FLOAT, 
	started TEXT, 
	finished TEXT, 
	input_video_id INTEGER, 
	output_video_id INTEGER, 
	grain FLOAT, 
	codec TEXT, 
	output_resolution INTEGER, 
	comparison BOOLEAN, 
	stabilization_smoothing INTEGER, 
	fps_interpolation_factor FLOAT, 
	playback_speed FLOAT, 
	sharpen_strength FLOAT, 
	start_frame BIGINT, 
	end_frame BIGINT, 
	extra TEXT, 
	first_seen_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	presence TEXT NOT NULL, 
	gone_at TEXT, 
	input_video_detached_at TEXT, 
	output_video_detached_at TEXT, 
	fingerprint TEXT NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT fk_jobs_input_video_id FOREIGN KEY(input_video_id) REFERENCES input_videos (id), 
	CONSTRAINT fk_jobs_output_video_id FOREIGN KEY(output_video_id) REFERENCES output_videos (id)
);
INSERT INTO "jobs" VALUES(1,-2,0,'',3.5,0.0,0.17,'2025-02-01 16:53:30.302949+00:00','2025-02-01 17:00:13.747403+00:00',1,NULL,0.0,'libx264',1920,0,0,1.0,0.25,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 10:05:50.777000+00:00','listed',NULL,NULL,NULL,'1008cc34b21ec2463e7e092b7b95b981');
INSERT INTO "jobs" VALUES(2,2,1,'Roof, take 3',0.0,0.0,1.0,'2025-02-01 19:29:51.992818+00:00','2025-02-01 19:35:39.059821+00:00',2,1,0.0,'libx264',1920,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 11:05:51.110000+00:00','listed',NULL,NULL,NULL,'be24bb08ed13992f7b47c80e51853125');
INSERT INTO "jobs" VALUES(3,2,0,'',7.9878,0.0,1.0,'2025-02-01 21:21:02.293736+00:00','2025-02-01 21:37:22.873084+00:00',3,2,0.0,'libx264',1920,0,0,1.0,1.0,0.0,0,13001,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 10:05:51.036000+00:00','gone','2025-02-03 10:05:51.036000+00:00',NULL,NULL,'c490d81783ed0ec113a540acb1a02ad9');
INSERT INTO "jobs" VALUES(4,2,1,'',0.0,0.0,1.0,'2025-02-02 00:28:00.436348+00:00','2025-02-02 00:39:22.283204+00:00',4,3,0.0,'libx264',1920,0,0,1.0,1.0,0.0,313,578,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-05 11:05:51.665000+00:00','missing',NULL,NULL,NULL,'ef4a86884b5e1569dab96e2743ebe25b');
INSERT INTO "jobs" VALUES(5,2,1,'',0.0,0.0,1.0,'2025-02-02 04:19:36.998427+00:00','2025-02-02 04:37:47.635654+00:00',5,4,0.0,'libx265',854,0,0,1.0,1.0,0.0,0,20864,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-05 11:05:51.665000+00:00','missing',NULL,NULL,NULL,'36b83a5d3c2dfa9563b16f8e4838797b');
INSERT INTO "jobs" VALUES(6,2,0,'',51.3532,0.0,1.0,'2025-02-02 06:05:36.072572+00:00','2025-02-02 06:23:26.473602+00:00',6,5,0.0,'libx264',1280,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 10:05:51.036000+00:00','unlisted',NULL,NULL,NULL,'7ff32fc84c7f10ed5ebf3f5299105ba9');
INSERT INTO "jobs" VALUES(7,2,0,'',NULL,0.0,1.0,'2025-02-02 10:42:50.197670+00:00','2025-02-02 10:51:07.657468+00:00',7,6,0.0,'libx264',1920,0,0,1.0,1.0,0.0,0,6161,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 10:05:50.777000+00:00','listed',NULL,NULL,NULL,'729eaf1b21c2a59ffe7e97fbef773b04');
INSERT INTO "jobs" VALUES(8,2,0,'',17.1141,0.0,1.0,'2025-02-02 13:31:57.645030+00:00','2025-02-02 13:42:00.579765+00:00',8,7,0.0,'libx264',1920,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00','listed',NULL,NULL,NULL,'24f06f11ba79425725f92e2e411d426a');
INSERT INTO "jobs" VALUES(9,2,0,'',0.269,0.0,1.0,'2025-02-02 17:14:59.299651+00:00','2025-02-02 17:32:42.789105+00:00',9,8,0.0,'libx264',-1,0,0,2.5,1.0,0.0,0,934,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00','listed',NULL,NULL,NULL,'9750db5a658c538362f57748245de015');
INSERT INTO "jobs" VALUES(11,2,0,'👍',0.4251,0.0,1.0,'2025-02-02 22:49:58.281018+00:00','2025-02-02 22:55:43.181402+00:00',11,10,0.0,'libx264',1920,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-05 11:05:51.665000+00:00','missing',NULL,NULL,NULL,'7c360a80b5c436d88ddca1db1590a885');
INSERT INTO "jobs" VALUES(12,2,0,'テスト',0.9262,0.0,1.0,'2025-02-03 00:54:53.012702+00:00','2025-02-03 01:03:33.028365+00:00',12,11,0.5,'libx264',-1,0,0,1.0,1.0,0.0,0,3350,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00','listed',NULL,NULL,NULL,'aa292a51af3e6ec2cb6013a568ac4518');
INSERT INTO "jobs" VALUES(13,2,0,'',1.25,0.0,1.0,'2025-02-03 01:15:21.073047+00:00','2025-02-03 01:29:07.760985+00:00',13,12,0.1,'libx264',1920,0,0,1.0,1.0,0.0,0,7450,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 11:05:51.073000+00:00','listed',NULL,NULL,NULL,'5dbd98abdd4c276f86d89e7c277b9edd');
INSERT INTO "jobs" VALUES(14,2,0,'👍',NULL,0.0,1.0,'2025-02-03 03:10:39.064745+00:00','2025-02-03 03:18:22.907142+00:00',14,13,0.0,'libx264',-1,0,0,1.0,1.0,0.0,0,722,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 10:05:50.740000+00:00','listed',NULL,NULL,NULL,'34e9de84ec2e6f0fcdf49ada5d4d16c5');
INSERT INTO "jobs" VALUES(15,2,0,'',11.7133,0.0,1.0,'2025-02-03 03:21:44.424347+00:00','2025-02-03 03:37:12.064242+00:00',15,14,0.0,'libx264',2560,0,7,1.0,1.0,0.0,0,17880,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00','listed',NULL,NULL,NULL,'e8d7727f589969899a5ee069bd2dab14');
INSERT INTO "jobs" VALUES(16,2,0,'',3.1615,0.0,1.0,'2025-02-03 05:03:50.879019+00:00','2025-02-03 05:07:20.038386+00:00',16,15,0.0,'libx264',1280,0,0,1.0,1.0,0.0,0,3216,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00','listed',NULL,NULL,NULL,'bd324b381aa495a6f056a9b6d3020eb2');
INSERT INTO "jobs" VALUES(17,2,1,'',0.0,0.0,1.0,'2025-02-03 08:51:40.060982+00:00','2025-02-03 09:09:24.462899+00:00',17,17,0.0,'libx264',-1,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 10:05:50.740000+00:00','listed',NULL,NULL,NULL,'4587a11e8e3c4e48a05df3b6b9770143');
INSERT INTO "jobs" VALUES(18,-1,0,'',2.2523,0.0,0.36,'2025-02-03 08:58:07.209231+00:00','2025-02-03 09:02:15.145731+00:00',18,NULL,0.0,'libx264',1280,0,0,1.0,1.0,1.0,NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:04:00.296000+00:00','listed',NULL,NULL,NULL,'50c1d31a89450ff3e6e403c40ec4fb6b');
INSERT INTO "jobs" VALUES(19,2,0,'',1.3997,0.0,1.0,'2025-02-03 09:03:00.000000+00:00','2025-02-03 09:04:50.000000+00:00',19,16,0.1,'prores_ks',1920,0,0,1.0,1.0,0.0,NULL,NULL,NULL,'2025-02-03 09:04:00.370000+00:00','2025-02-03 09:05:50.666000+00:00','listed',NULL,NULL,NULL,'b7cac2507efbf59ead97ac5359f7ac6e');
INSERT INTO "jobs" VALUES(20,-2,1,'',0.0,0.0,0.0,'2025-02-05 12:05:50.000000+00:00','2025-02-05 12:06:50.000000+00:00',20,NULL,0.0,'libx264',3840,0,0,1.0,1.0,0.0,0,12879,NULL,'2025-02-05 12:06:51.702000+00:00','2025-02-05 12:07:51.776000+00:00','listed',NULL,NULL,NULL,'0ffce8635d05a9eae88805938d39024d');
INSERT INTO "jobs" VALUES(21,1,0,'',0.5068,283.8,0.27,'2025-02-05 12:06:50.000000+00:00',NULL,21,NULL,0.0,'libx264',-1,0,0,1.0,1.0,0.0,0,686,NULL,'2025-02-05 12:07:51.850000+00:00','2025-02-05 12:07:51.850000+00:00','listed',NULL,NULL,NULL,'30e758876d54c6618212849914f5672c');
CREATE TABLE mirror_scope (
	kind TEXT NOT NULL, 
	value TEXT NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	CONSTRAINT pk_mirror_scope PRIMARY KEY (kind, value)
);
INSERT INTO "mirror_scope" VALUES('input_owner','alice@example.com','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "mirror_scope" VALUES('origin','loopback','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "mirror_scope" VALUES('output_owner','4711','2025-02-03 09:00:00.037000+00:00');
CREATE TABLE ml_models (
	id INTEGER NOT NULL, 
	name TEXT, 
	task INTEGER, 
	cost_weight FLOAT, 
	upscale_factor INTEGER, 
	fps_boost_factor INTEGER, 
	priority INTEGER, 
	max_resolution INTEGER, 
	extra TEXT, 
	first_seen_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_ml_models PRIMARY KEY (id)
);
INSERT INTO "ml_models" VALUES(12,'Deinterlace 2',9,0.25,1,1,10,2073600,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(15,'Audio Denoise',14,0.1,1,1,5,8294400,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(18,'Film Damage Repair',2,1.0,1,1,20,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(23,'VHS Prettify',5,0.8,1,1,24,921600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(27,'Auto Color Balance',7,0.2,1,1,60,8294400,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(31,'Decompressor',8,0.5,1,1,26,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(34,'General Denoise 3',3,0.5,1,1,30,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(36,'Face Enhance 2',12,1.25,1,1,50,2073600,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(38,'Slow Motion',11,1.0,1,1,80,2073600,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(40,'AI Stabilization',13,0.3,1,1,15,8294400,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(42,'FPS Boost',10,0.75,1,2,80,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(43,'AI Sharpen',4,0.4,1,1,70,8294400,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(44,'4x Upscale Ultra 4',1,2.0,4,1,40,921600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(45,'2x Upscale 4',1,0.5,2,1,40,2073600,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "ml_models" VALUES(46,'4x Upscale',1,1.5,4,1,40,921600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(47,'2x Anime Upscale',1,0.5,2,1,40,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "ml_models" VALUES(51,'Low Light Enhance',15,0.6,1,1,28,2073600,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
CREATE TABLE ml_tasks (
	code INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_ml_tasks PRIMARY KEY (code)
);
INSERT INTO "ml_tasks" VALUES(1,'Super Resolution');
INSERT INTO "ml_tasks" VALUES(2,'Film damage');
INSERT INTO "ml_tasks" VALUES(3,'Denoise');
INSERT INTO "ml_tasks" VALUES(4,'Sharpen');
INSERT INTO "ml_tasks" VALUES(5,'VHS Prettify');
INSERT INTO "ml_tasks" VALUES(6,'Dropouts Buster');
INSERT INTO "ml_tasks" VALUES(7,'Auto Color Balance');
INSERT INTO "ml_tasks" VALUES(8,'Decompressor');
INSERT INTO "ml_tasks" VALUES(9,'Deinterlace');
INSERT INTO "ml_tasks" VALUES(10,'FPS Interpolation');
INSERT INTO "ml_tasks" VALUES(11,'Slow Motion');
INSERT INTO "ml_tasks" VALUES(12,'Face Enhance');
INSERT INTO "ml_tasks" VALUES(13,'Stabilization');
INSERT INTO "ml_tasks" VALUES(14,'Audio Denoise');
INSERT INTO "ml_tasks" VALUES(15,'Low Light Enhance');
CREATE TABLE output_resolutions (
	code INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_output_resolutions PRIMARY KEY (code)
);
INSERT INTO "output_resolutions" VALUES(-1,'No Resize');
INSERT INTO "output_resolutions" VALUES(640,'360p');
INSERT INTO "output_resolutions" VALUES(720,'SD');
INSERT INTO "output_resolutions" VALUES(854,'HQ');
INSERT INTO "output_resolutions" VALUES(1280,'720p');
INSERT INTO "output_resolutions" VALUES(1920,'1080p');
INSERT INTO "output_resolutions" VALUES(2048,'2K');
INSERT INTO "output_resolutions" VALUES(2560,'QHD');
INSERT INTO "output_resolutions" VALUES(3840,'4K');
CREATE TABLE output_videos (
	id INTEGER NOT NULL, 
	job_id BIGINT, 
	preview_before TEXT, 
	preview_after TEXT, 
	name TEXT, 
	width INTEGER, 
	height INTEGER, 
	created_at TEXT, 
	n_frames BIGINT, 
	framerate FLOAT, 
	size BIGINT, 
	owner BIGINT, 
	thumbnail TEXT, 
	bitrate BIGINT, 
	codec_id TEXT, 
	bit_depth INTEGER, 
	chroma_subsampling TEXT, 
	color_space TEXT, 
	file TEXT, 
	deleted TEXT, 
	quality_score INTEGER, 
	extra TEXT, 
	first_seen_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_output_videos PRIMARY KEY (id)
);
INSERT INTO "output_videos" VALUES(1,2,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/before.mp4','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/after.mp4','<b>5475</b> & co; --_enhanced.mp4',1920,1080,'2025-02-01 19:35:39.059821+00:00',600,60.0,15552000,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/thumbnail.jpg',12441600,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/1/video',NULL,4,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 10:05:50.777000+00:00');
INSERT INTO "output_videos" VALUES(2,3,NULL,NULL,'가족 여행 5661_enhanced.mp4',1920,1280,'2025-02-01 21:37:22.873084+00:00',13001,25.0,399390720,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/2/thumbnail.jpg',6144000,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/2/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(3,4,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/before.mp4','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/after.mp4','Café – nöel 7843_enhanced.mp4',1920,1440,'2025-02-02 00:39:22.283204+00:00',300,30.0,10368000,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/thumbnail.jpg',8294400,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/3/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(4,5,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/before.mp4','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/after.mp4','<b>8930</b> & co; --_enhanced.mp4',854,640,'2025-02-02 04:37:47.635654+00:00',250,23.976,1195599,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/thumbnail.jpg',NULL,'hvc1',10,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/4/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(5,6,NULL,NULL,'GX018912_enhanced.mp4',1280,720,'2025-02-02 06:23:26.473602+00:00',63682,30.0,733616639,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/5/thumbnail.jpg',2764800,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/5/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(6,7,NULL,NULL,'Café – nöel 4307_enhanced.mp4',1920,1536,'2025-02-02 10:51:07.657468+00:00',6161,60.0,227119104,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/thumbnail.jpg',17694720,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(7,8,NULL,NULL,'100% 2902\backup_enhanced.mp4',1920,1440,'2025-02-02 13:42:00.579765+00:00',6190,29.97,213926384,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/7/thumbnail.jpg',8286105,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/7/video',NULL,NULL,NULL,'2025-02-03 09:00:00.074000+00:00','2025-02-03 09:00:00.074000+00:00');
INSERT INTO "output_videos" VALUES(8,9,NULL,NULL,'untitled_enhanced.mp4',640,480,'2025-02-02 17:32:42.789105+00:00',2335,74.925,8966400,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/8/thumbnail.jpg',2301696,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/8/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(10,11,NULL,NULL,'סרט משפחתי 2482_enhanced.mp4',1920,1440,'2025-02-02 22:55:43.181402+00:00',205,29.97,7084799,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/10/thumbnail.jpg',8286105,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/10/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(11,12,NULL,NULL,'Café – nöel 5451_enhanced.mp4',640,480,'2025-02-03 01:03:33.028365+00:00',3350,30.0,12864000,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/thumbnail.jpg',921600,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(12,13,NULL,NULL,'  padded 152 _enhanced.mp4',1920,1080,'2025-02-03 01:29:07.760985+00:00',7450,25.0,193104000,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/thumbnail.jpg',5184000,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(13,14,NULL,NULL,'IMG_3984_enhanced.mp4',720,480,'2025-02-03 03:18:22.907142+00:00',722,25.0,3119040,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/thumbnail.jpg',864000,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(14,15,NULL,NULL,'tape 8321 side A_enhanced.mp4',2560,1706,'2025-02-03 03:37:12.064242+00:00',17880,25.0,976104960,4711,NULL,NULL,'avc1',8,'4:2:0','YUV',NULL,'2025-02-03 11:04:50.000000+00:00',NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 11:05:51.073000+00:00');
INSERT INTO "output_videos" VALUES(15,16,NULL,NULL,'tape 6086 side A_enhanced.mp4',1280,1024,'2025-02-03 05:07:20.038386+00:00',3216,23.976,52690939,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/15/thumbnail.jpg',3142582,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/15/video',NULL,NULL,NULL,'2025-02-03 09:00:00.037000+00:00','2025-02-03 09:00:00.037000+00:00');
INSERT INTO "output_videos" VALUES(16,19,NULL,NULL,'DJI_8923_enhanced.mov',1920,1080,'2025-02-03 09:04:50.000000+00:00',1080,30.0,447897600,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/16/thumbnail.jpg',99532800,'apcn',10,'4:2:2','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/16/video',NULL,NULL,NULL,'2025-02-03 09:05:50.666000+00:00','2025-02-03 09:05:50.666000+00:00');
INSERT INTO "output_videos" VALUES(17,17,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/before.mp4','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/after.mp4','interview-take-3169_enhanced.mp4',1440,1152,'2025-02-03 09:09:24.462899+00:00',250,23.976,5183999,4711,'https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/thumbnail.jpg',NULL,'avc1',8,'4:2:0','YUV','https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/17/video',NULL,NULL,NULL,'2025-02-03 10:05:50.740000+00:00','2025-02-03 10:05:50.740000+00:00');
CREATE TABLE quarantined_jobs (
	id INTEGER NOT NULL, 
	job_id BIGINT, 
	reason TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	last_seen_at TEXT NOT NULL, 
	sync_run_id INTEGER NOT NULL, 
	resolved_at TEXT, 
	CONSTRAINT pk_quarantined_jobs PRIMARY KEY (id), 
	CONSTRAINT fk_quarantined_jobs_sync_run_id FOREIGN KEY(sync_run_id) REFERENCES sync_runs (id)
);
INSERT INTO "quarantined_jobs" VALUES(1,10,'Expected `int`, got `str` - at `$.status`','{"id": 10, "status": "soon"}','2025-02-03 09:00:00.037000+00:00','2025-02-05 11:05:51.332000+00:00',1,NULL);
INSERT INTO "quarantined_jobs" VALUES(2,13,'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null','{"id":13,"started":"2025-02-03T01:15:21.073047Z","preview":false,"description":"","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-03T01:29:07.760985Z","processing_progress":1.0,"input_video":{"id":13,"name":"  padded 152 .mp4","width":1280,"height":720,"created_at":"2025-02-02T23:43:20.073047Z","n_frames":7450,"framerate":25.0,"size":423321153,"owner":"alice@example.com","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/thumbnail.jpg","external_url":null,"bitrate":11364216,"codec_id":"dvc","bit_depth":8,"chroma_subsampling":"4:1:1","color_space":"YUV","file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/13/original"},"output_video":{"id":12,"job_id":13,"preview_videos":null,"name":"  padded 152 _enhanced.mp4","created_at":"2025-02-03T01:29:07.760985Z","width":1920,"height":1080,"owner":4711,"deleted":null,"framerate":25.0,"n_frames":7450,"bitrate":5184000,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":193104000,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/12/thumbnail.jpg","quality_score":null},"ml_models":[{"id":18,"name":"Film Damage Repair","task":2,"cost_weight":1.0,"upscale_factor":1,"fps_boost_factor":1,"priority":20,"max_resolution":2073600}],"grain":0.1,"codec":"libx264","output_resolution":1920,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":7450}','2025-02-03 10:05:50.740000+00:00','2025-02-03 10:05:50.740000+00:00',9,'2025-02-03 11:05:51.073000+00:00');
INSERT INTO "quarantined_jobs" VALUES(3,14,'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null','{"id":14,"started":"2025-02-03T03:10:39.064745Z","preview":false,"description":"\ud83d\udc4d","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-03T03:18:22.907142Z","processing_progress":1.0,"input_video":{"id":14,"name":"IMG_3984.mp4","width":720,"height":480,"created_at":"2025-02-03T01:26:57.064745Z","n_frames":722,"framerate":25.0,"size":5412645,"owner":"alice@example.com","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/thumbnail.jpg","external_url":null,"bitrate":1497946,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/uploads/14/original"},"output_video":{"id":13,"job_id":14,"preview_videos":null,"name":"IMG_3984_enhanced.mp4","created_at":"2025-02-03T03:18:22.907142Z","width":720,"height":480,"owner":4711,"deleted":null,"framerate":25.0,"n_frames":722,"bitrate":864000,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":3119040,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/13/thumbnail.jpg","quality_score":null},"ml_models":[{"id":18,"name":"Film Damage Repair","task":2,"cost_weight":1.0,"upscale_factor":1,"fps_boost_factor":1,"priority":20,"max_resolution":2073600},{"id":51,"name":"Low Light Enhance","task":15,"cost_weight":0.6,"upscale_factor":1,"fps_boost_factor":1,"priority":28,"max_resolution":2073600}],"grain":0.0,"codec":"libx264","output_resolution":-1,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":722}','2025-02-03 10:05:50.740000+00:00','2025-02-05 11:05:51.332000+00:00',9,NULL);
INSERT INTO "quarantined_jobs" VALUES(4,12,'Expected `float | null`, got `str` - at `$.grain`','{"id":12,"started":"2025-02-03T00:54:53.012702Z","preview":false,"description":"\u30c6\u30b9\u30c8","cost_usd":"0.9262","status":2,"eta_s":0.0,"finished":"2025-02-03T01:03:33.028365Z","processing_progress":1.0,"input_video":{"id":12,"name":"Cafe\u0301 \u2013 no\u0308el 5451.mp4","width":640,"height":480,"created_at":"2025-02-02T23:30:54.012702Z","n_frames":3350,"framerate":30.0,"size":12034484,"owner":"alice@example.com","thumbnail":null,"external_url":"https://media.example.com/in/12.mp4","bitrate":861933,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":null},"output_video":{"id":11,"job_id":12,"preview_videos":null,"name":"Cafe\u0301 \u2013 no\u0308el 5451_enhanced.mp4","created_at":"2025-02-03T01:03:33.028365Z","width":640,"height":480,"owner":4711,"deleted":null,"framerate":30.0,"n_frames":3350,"bitrate":921600,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":12864000,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/11/thumbnail.jpg","quality_score":null},"ml_models":[{"id":23,"name":"VHS Prettify","task":5,"cost_weight":0.8,"upscale_factor":1,"fps_boost_factor":1,"priority":24,"max_resolution":921600},{"id":31,"name":"Decompressor","task":8,"cost_weight":0.5,"upscale_factor":1,"fps_boost_factor":1,"priority":26,"max_resolution":2073600},{"id":34,"name":"General Denoise 3","task":3,"cost_weight":0.5,"upscale_factor":1,"fps_boost_factor":1,"priority":30,"max_resolution":2073600}],"grain":"coarse","codec":"libx264","output_resolution":-1,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":3350}','2025-02-03 10:05:50.740000+00:00','2025-02-03 10:05:50.740000+00:00',9,'2025-02-03 11:05:51.073000+00:00');
INSERT INTO "quarantined_jobs" VALUES(5,7,'cost_usd: 1.25001 does not fit 6 digits and 4 decimals; stored as null','{"id":7,"started":"2025-02-02T10:42:50.197670Z","preview":false,"description":"","cost_usd":"1.25001","status":2,"eta_s":0.0,"finished":"2025-02-02T10:51:07.657468Z","processing_progress":1.0,"input_video":{"id":7,"name":"Cafe\u0301 \u2013 no\u0308el 4307.mp4","width":720,"height":576,"created_at":"2025-02-02T09:58:15.197670Z","n_frames":6161,"framerate":60.0,"size":44127829,"owner":"alice@example.com","thumbnail":null,"external_url":"https://media.example.com/in/7.mp4","bitrate":3437951,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","file":null},"output_video":{"id":6,"job_id":7,"preview_videos":null,"name":"Cafe\u0301 \u2013 no\u0308el 4307_enhanced.mp4","created_at":"2025-02-02T10:51:07.657468Z","width":1920,"height":1536,"owner":4711,"deleted":null,"framerate":60.0,"n_frames":6161,"bitrate":17694720,"codec_id":"avc1","bit_depth":8,"chroma_subsampling":"4:2:0","color_space":"YUV","size":227119104,"file":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/video","thumbnail":"https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media/restored/6/thumbnail.jpg","quality_score":null},"ml_models":[{"id":15,"name":"Audio Denoise","task":14,"cost_weight":0.1,"upscale_factor":1,"fps_boost_factor":1,"priority":5,"max_resolution":8294400},{"id":45,"name":"2x Upscale 4","task":1,"cost_weight":0.5,"upscale_factor":2,"fps_boost_factor":1,"priority":40,"max_resolution":2073600}],"grain":0.0,"codec":"libx264","output_resolution":1920,"comparison":false,"stabilization_smoothing":0,"fps_interpolation_factor":1.0,"playback_speed":1.0,"sharpen_strength":0.0,"start_frame":0,"end_frame":6161}','2025-02-03 10:05:50.777000+00:00','2025-02-03 10:05:50.777000+00:00',9,NULL);
INSERT INTO "quarantined_jobs" VALUES(6,9,'Expected `int`, got `null` - at `$.status`','{"id": 9, "status": null, "started": "yesterday"}','2025-02-03 11:05:51.110000+00:00','2025-02-05 11:05:51.332000+00:00',10,NULL);
INSERT INTO "quarantined_jobs" VALUES(7,8,'Expected `int`, got `str` - at `$.status`','{"id": 8, "status": "done"}','2025-02-03 11:05:51.110000+00:00','2025-02-03 11:05:51.110000+00:00',10,NULL);
INSERT INTO "quarantined_jobs" VALUES(8,7,'Expected `int`, got `str` - at `$.status`','{"id": 7, "status": "done"}','2025-02-03 11:05:51.110000+00:00','2025-02-05 11:05:51.369000+00:00',10,NULL);
INSERT INTO "quarantined_jobs" VALUES(9,8,'Expected `object | null`, got `array` - at `$.input_video`','{"id": 8, "status": 2, "input_video": []}','2025-02-05 11:05:51.369000+00:00','2025-02-05 11:05:51.369000+00:00',11,NULL);
INSERT INTO "quarantined_jobs" VALUES(10,NULL,'Expected `int`, got `str` - at `$.id`','{"id": "twenty", "status": 2}','2025-02-05 12:08:11.924000+00:00','2025-02-05 12:08:11.924000+00:00',15,NULL);
CREATE TABLE sync_runs (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	certified BOOLEAN NOT NULL, 
	certificate TEXT, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	requests INTEGER DEFAULT '0' NOT NULL, 
	retries INTEGER DEFAULT '0' NOT NULL, 
	pages INTEGER DEFAULT '0' NOT NULL, 
	upstream_count INTEGER DEFAULT '0' NOT NULL, 
	jobs_seen INTEGER DEFAULT '0' NOT NULL, 
	jobs_inserted INTEGER DEFAULT '0' NOT NULL, 
	jobs_updated INTEGER DEFAULT '0' NOT NULL, 
	jobs_unchanged INTEGER DEFAULT '0' NOT NULL, 
	transitions INTEGER DEFAULT '0' NOT NULL, 
	field_changes INTEGER DEFAULT '0' NOT NULL, 
	jobs_gone INTEGER DEFAULT '0' NOT NULL, 
	jobs_returned INTEGER DEFAULT '0' NOT NULL, 
	quarantined INTEGER DEFAULT '0' NOT NULL, 
	error TEXT, 
	covered BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_sync_runs PRIMARY KEY (id)
);
INSERT INTO "sync_runs" VALUES(1,'full','succeeded',1,'{"method": "count between passes", "count": 18, "counted_at": "2025-02-03T09:00:00.111000Z", "counted_by": "limit=1&offset=0", "proven": 18, "newer": 0, "passes": 2, "page_size": 10}','2025-02-03 09:00:00.000000+00:00','2025-02-03 09:00:00.185000+00:00',5,0,4,18,18,17,0,0,0,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(2,'poll','succeeded',0,NULL,'2025-02-03 09:02:00.185000+00:00','2025-02-03 09:02:00.259000+00:00',2,0,2,18,18,0,0,17,0,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(3,'poll','succeeded',0,NULL,'2025-02-03 09:04:00.259000+00:00','2025-02-03 09:04:00.333000+00:00',2,0,2,18,18,0,1,16,1,1,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(4,'poll','succeeded',0,NULL,'2025-02-03 09:04:00.333000+00:00','2025-02-03 09:04:00.407000+00:00',2,0,2,19,19,1,0,17,0,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(5,'poll','succeeded',0,NULL,'2025-02-03 09:04:30.407000+00:00','2025-02-03 09:04:30.481000+00:00',2,0,2,19,19,0,1,17,1,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(6,'poll','succeeded',0,NULL,'2025-02-03 09:05:10.481000+00:00','2025-02-03 09:05:10.555000+00:00',2,0,2,19,19,0,0,18,0,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(7,'poll','succeeded',0,NULL,'2025-02-03 09:05:50.555000+00:00','2025-02-03 09:05:50.629000+00:00',2,0,2,19,19,0,0,18,0,0,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(8,'poll','succeeded',0,NULL,'2025-02-03 09:05:50.629000+00:00','2025-02-03 09:05:50.703000+00:00',2,0,2,19,19,0,1,17,1,2,0,0,1,NULL,1);
INSERT INTO "sync_runs" VALUES(9,'full','succeeded',1,'{"method": "count between passes", "count": 17, "counted_at": "2025-02-03T10:05:50.814000Z", "counted_by": "limit=1&offset=0", "proven": 17, "newer": 0, "passes": 1, "page_size": 10}','2025-02-03 10:05:50.703000+00:00','2025-02-03 10:05:51.036000+00:00',9,0,4,17,18,0,6,10,1,10,1,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(10,'full','succeeded',1,'{"method": "count between passes", "count": 17, "counted_at": "2025-02-03T11:05:51.147000Z", "counted_by": "limit=1&offset=0", "proven": 17, "newer": 0, "passes": 1, "page_size": 10}','2025-02-03 11:05:51.036000+00:00','2025-02-03 11:05:51.295000+00:00',7,0,4,17,18,0,3,11,0,5,0,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(11,'full','succeeded',1,'{"method": "count between passes", "count": 14, "counted_at": "2025-02-05T11:05:51.406000Z", "counted_by": "limit=1&offset=0", "proven": 14, "newer": 0, "passes": 2, "page_size": 10}','2025-02-05 11:05:51.295000+00:00','2025-02-05 11:05:51.665000+00:00',10,0,4,14,14,0,0,10,0,3,0,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(12,'poll','succeeded',0,NULL,'2025-02-05 12:06:51.665000+00:00','2025-02-05 12:06:51.739000+00:00',2,0,2,15,15,1,0,10,0,0,0,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(13,'poll','succeeded',0,NULL,'2025-02-05 12:07:51.739000+00:00','2025-02-05 12:07:51.813000+00:00',2,0,2,15,15,0,1,10,1,1,0,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(14,'poll','succeeded',0,NULL,'2025-02-05 12:07:51.813000+00:00','2025-02-05 12:07:51.887000+00:00',2,0,2,16,16,1,0,11,0,0,0,0,5,NULL,1);
INSERT INTO "sync_runs" VALUES(15,'full','succeeded',0,'{"method": "none", "reason": "not asked for"}','2025-02-05 12:08:11.887000+00:00','2025-02-05 12:08:11.961000+00:00',2,0,2,17,16,0,0,12,0,0,0,0,6,NULL,0);
INSERT INTO "sync_runs" VALUES(16,'poll','succeeded',0,NULL,'2025-02-05 12:11:11.961000+00:00','2025-02-05 12:11:11.998000+00:00',1,0,1,17,9,0,0,9,0,0,0,0,2,NULL,1);
CREATE TABLE writer_lease (
	scope TEXT NOT NULL, 
	epoch BIGINT NOT NULL, 
	holder TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	CONSTRAINT pk_writer_lease PRIMARY KEY (scope)
);
INSERT INTO "writer_lease" VALUES('mirror',17,'writer','2025-02-06 00:00:00.000000+00:00');
CREATE INDEX ix_field_changes_entity_entity_id ON field_changes (entity, entity_id);
CREATE INDEX ix_jobs_finished ON jobs (finished);
CREATE INDEX ix_jobs_input_video_id ON jobs (input_video_id);
CREATE INDEX ix_jobs_output_video_id ON jobs (output_video_id);
CREATE INDEX ix_jobs_presence ON jobs (presence);
CREATE INDEX ix_jobs_started ON jobs (started);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE INDEX ix_quarantined_jobs_job_id ON quarantined_jobs (job_id);
CREATE INDEX ix_job_ml_models_ml_model_id_job_id ON job_ml_models (ml_model_id, job_id);
CREATE INDEX ix_job_progress_samples_observed_at ON job_progress_samples (observed_at);
CREATE INDEX ix_job_status_history_observed_at ON job_status_history (observed_at);
CREATE TRIGGER job_status_history_no_update BEFORE UPDATE ON job_status_history BEGIN SELECT RAISE(ABORT, 'job_status_history is append-only'); END;
CREATE TRIGGER job_status_history_no_delete BEFORE DELETE ON job_status_history BEGIN SELECT RAISE(ABORT, 'job_status_history is append-only'); END;
CREATE TRIGGER job_status_history_no_replace BEFORE INSERT ON job_status_history WHEN EXISTS (SELECT 1 FROM job_status_history WHERE job_id = NEW.job_id AND seq = NEW.seq) OR EXISTS (SELECT 1 FROM job_status_history WHERE entry = NEW.entry) OR EXISTS (SELECT 1 FROM job_status_history WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'job_status_history is append-only'); END;
CREATE TRIGGER field_changes_no_update BEFORE UPDATE ON field_changes BEGIN SELECT RAISE(ABORT, 'field_changes is append-only'); END;
CREATE TRIGGER field_changes_no_delete BEFORE DELETE ON field_changes BEGIN SELECT RAISE(ABORT, 'field_changes is append-only'); END;
CREATE TRIGGER field_changes_no_replace BEFORE INSERT ON field_changes WHEN EXISTS (SELECT 1 FROM field_changes WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM field_changes WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'field_changes is append-only'); END;
CREATE UNIQUE INDEX ix_alerts_code ON alerts (code) WHERE resolved_at IS NULL;
CREATE VIEW job_overview AS
-- A job, everything joined and labelled: names instead of codes, both videos' main figures, cost and times.
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
-- input_owner (text): e-mail address of its owner (personal data)
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
  j.id AS job_id,
  j.status,
  s.name AS status_name,
  s.is_terminal,
  j.presence,
  COALESCE(j.preview, FALSE) AS preview,
  j.description,
  date(COALESCE(j.finished, j.started, j.first_seen_at)) AS day,
  substr(COALESCE(j.finished, j.started, j.first_seen_at), 1, 7) AS month,
  j.started,
  j.finished,
  CASE WHEN j.preview THEN 0.0000 ELSE j.cost_usd END AS credits,
  j.cost_usd,
  CASE
    WHEN NOT COALESCE(j.preview, FALSE) AND o.n_frames > 0 AND o.framerate > 0.001
      THEN j.cost_usd * 60 * o.framerate / o.n_frames
  END AS credits_per_output_minute,
  (
    SELECT group_concat(named.name, ', ')
    FROM (
      SELECT m.name
      FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id
      WHERE l.job_id = j.id
      ORDER BY l.position
    ) AS named
  ) AS models,
  (
    SELECT group_concat(named.name, ', ')
    FROM (
      SELECT t.name
      FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id JOIN ml_tasks AS t ON t.code = m.task
      WHERE l.job_id = j.id
      ORDER BY l.position
    ) AS named
  ) AS tasks,
  j.codec,
  r.name AS resolution,
  j.input_video_id,
  i.name AS input_name,
  i.owner AS input_owner,
  i.width AS input_width,
  i.height AS input_height,
  i.width * i.height / 1000000.0 AS input_megapixels,
  CASE WHEN i.framerate > 0.001 THEN i.n_frames / i.framerate END AS input_duration_s,
  i.size AS input_size,
  j.output_video_id,
  o.name AS output_name,
  o.width AS output_width,
  o.height AS output_height,
  o.width * o.height / 1000000.0 AS output_megapixels,
  CASE WHEN o.framerate > 0.001 THEN o.n_frames / o.framerate END AS output_duration_s,
  o.size AS output_size,
  o.deleted AS output_deleted_at,
  o.quality_score,
  -- Processing began between two looks of the mirror: half-way, unless upstream states it. Never below 0: clocks differ.
  ROUND(MAX(0, 86400 * (
    COALESCE(julianday(h.occurred_at), (julianday(h.not_before) + julianday(h.observed_at)) / 2) - julianday(
      -- Where upstream states the start of processing as started, what it stated while the job was in the queue counts.
      CASE
        WHEN h.occurred_at = j.started
          THEN (SELECT q.occurred_at FROM job_status_history AS q WHERE q.job_id = j.id AND q.seq = 1)
        ELSE j.started
      END
    )
  )), 3) AS queue_s,
  ROUND(MAX(0, 86400 * (
    julianday(j.finished) - COALESCE(julianday(h.occurred_at), (julianday(h.not_before) + julianday(h.observed_at)) / 2)
  )), 3) AS processing_s,
  ROUND(86400 * (julianday(j.finished) - julianday(j.started)), 3) AS turnaround_s,
  j.processing_progress,
  j.eta_s,
  j.first_seen_at,
  j.changed_at
FROM jobs AS j
JOIN job_statuses AS s ON s.code = j.status
LEFT JOIN output_resolutions AS r ON r.code = j.output_resolution
LEFT JOIN input_videos AS i ON i.id = j.input_video_id
LEFT JOIN output_videos AS o ON o.id = j.output_video_id
-- A job that was seen in the queue is seen in processing next, unless something odd lies between: then no estimate.
LEFT JOIN job_status_history AS h ON h.job_id = j.id AND h.seq = 2 AND h.from_status = 0 AND h.to_status = 1;
CREATE VIEW job_model_costs AS
-- A model of a job with its share of the job's cost; a job without models or weights keeps its cost in one row without.
-- job_id (integer): job
-- position (integer): place of the model in the API's list, from 0; null in the row without a model
-- ml_model_id (integer): model; null if no model of the job has a weight above 0
-- cost_weight (real): the model's weight when the job was first seen with it
-- share_units (integer): the share in ten-thousandths of a Credit
-- credits (money): the share in Credits; the shares of a job sum to its cost exactly
WITH
  heaviest AS (
    SELECT job_id, MAX(cost_weight) AS cost_weight
    FROM job_ml_models
    WHERE cost_weight BETWEEN 0.000001 AND 1000000
    GROUP BY job_id
  ),
  weighted AS (
    -- Weights relative to the job's largest, as whole numbers: then everything below is exact.
    SELECT
      l.job_id,
      l.position,
      l.ml_model_id,
      l.cost_weight,
      CAST(ROUND(100000000 * l.cost_weight / h.cost_weight) AS bigint) AS weight,
      CASE WHEN j.cost_usd < 0 THEN -1 ELSE 1 END AS sign,
      CAST(ROUND(ABS(COALESCE(j.cost_usd, 0)) * 10000) AS bigint) AS units
    FROM jobs AS j
    JOIN heaviest AS h ON h.job_id = j.id
    JOIN job_ml_models AS l ON l.job_id = j.id
    WHERE l.cost_weight BETWEEN 0.000001 AND 1000000
  ),
  divided AS (
    SELECT w.*, CAST(SUM(w.weight) OVER (PARTITION BY w.job_id) AS bigint) AS weights FROM weighted AS w
  ),
  ranked AS (
    -- Largest remainder: the units that whole shares leave over go to the largest fractions, one each.
    SELECT
      d.*,
      d.units * d.weight / d.weights AS whole,
      ROW_NUMBER() OVER job AS place,
      d.units - CAST(
        SUM(d.units * d.weight / d.weights) OVER (job ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS bigint
      ) AS left_over
    FROM divided AS d
    WINDOW job AS (PARTITION BY d.job_id ORDER BY d.units * d.weight % d.weights DESC, d.position)
  )
SELECT
  job_id,
  position,
  ml_model_id,
  cost_weight,
  sign * (whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END) AS share_units,
  ROUND(sign * (whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END) / 10000.0, 4) AS credits
FROM ranked
UNION ALL
SELECT
  j.id,
  NULL,
  NULL,
  NULL,
  CAST(ROUND(COALESCE(j.cost_usd, 0) * 10000) AS bigint),
  ROUND(COALESCE(j.cost_usd, 0) * 1.0, 4)
FROM jobs AS j
WHERE NOT EXISTS (
  SELECT 1 FROM job_ml_models AS l WHERE l.job_id = j.id AND l.cost_weight BETWEEN 0.000001 AND 1000000
);
CREATE VIEW cost_corrections AS
-- A change of what a job costs after it was first seen.
-- field_change_id (integer): number of the change in field_changes
-- job_id (integer): job
-- observed_at (time): when the mirror saw it
-- old_cost (text): cost before, as it stands in field_changes; null if upstream stated none
-- new_cost (text): cost after
-- units (integer): by how much it moved, in ten-thousandths of a Credit
-- credits (money): the same in Credits
WITH
  moved AS (
    SELECT
      id,
      entity_id AS job_id,
      observed_at,
      old_value AS old_cost,
      new_value AS new_cost,
      CAST(ROUND(CAST(COALESCE(new_value, '0') AS numeric) * 10000) AS bigint)
        - CAST(ROUND(CAST(COALESCE(old_value, '0') AS numeric) * 10000) AS bigint) AS units
    FROM field_changes
    WHERE entity = 'job' AND field = 'cost_usd'
  )
SELECT
  id AS field_change_id,
  job_id,
  observed_at,
  old_cost,
  new_cost,
  units,
  ROUND(units / 10000.0, 4) AS credits
FROM moved;
CREATE VIEW eta_accuracy AS
-- How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.
-- ml_model_id (integer): model; a job with two models counts for each
-- model (text): its name
-- progress_from (integer): progress in percent, lower end of the tenth: 0, 10 ... 90
-- jobs (integer): finished jobs with samples
-- samples (integer): samples
-- mean_error_s (real): mean of predicted minus true seconds left: above 0 the ETA was too pessimistic
-- mean_abs_error_s (real): mean of its absolute value
-- mean_relative_error (real): mean of the absolute error by the true seconds left
WITH
  samples AS (
    SELECT
      s.job_id,
      CAST(MIN(9, MAX(0, s.processing_progress * 10)) AS integer) * 10 AS progress_from,
      s.eta_s,
      86400 * (julianday(j.finished) - julianday(s.observed_at)) AS left_s
    FROM job_progress_samples AS s
    JOIN jobs AS j ON j.id = s.job_id
    WHERE j.status = 2 AND j.finished > s.observed_at AND s.eta_s IS NOT NULL AND s.processing_progress IS NOT NULL
  ),
  summed AS (
    -- By job first: then each of its models need not look at every sample.
    SELECT
      job_id,
      progress_from,
      COUNT(*) AS samples,
      SUM(eta_s - left_s) AS error_s,
      SUM(ABS(eta_s - left_s)) AS abs_error_s,
      SUM(ABS(eta_s - left_s) / left_s) AS relative_error
    FROM samples
    GROUP BY job_id, progress_from
  )
SELECT
  m.id AS ml_model_id,
  m.name AS model,
  s.progress_from,
  COUNT(DISTINCT s.job_id) AS jobs,
  CAST(SUM(s.samples) AS bigint) AS samples,
  SUM(s.error_s) / SUM(s.samples) AS mean_error_s,
  SUM(s.abs_error_s) / SUM(s.samples) AS mean_abs_error_s,
  SUM(s.relative_error) / SUM(s.samples) AS mean_relative_error
FROM summed AS s
JOIN (SELECT DISTINCT job_id, ml_model_id FROM job_ml_models) AS l ON l.job_id = s.job_id
JOIN ml_models AS m ON m.id = l.ml_model_id
GROUP BY m.id, m.name, s.progress_from;
CREATE VIEW job_durations AS
-- Seconds that a job was in a status, lower and upper bound; a status that the mirror never saw it in has no row.
-- job_id (integer): job
-- status (integer): status code; one that is over has no end and no row
-- status_name (text): status
-- visits (integer): how many times the job was seen in it
-- is_open (boolean): whether the job is still in it
-- lower_s (real): it was in it for at least so many seconds
-- upper_s (real): and at most for so many; null if that is open
WITH
  looks AS (
    -- The last run that saw every job in flight: by its number, a clock may have been wrong.
    SELECT julianday((SELECT started_at FROM sync_runs WHERE covered ORDER BY id DESC LIMIT 1)) AS seen_at
  ),
  visits AS (
    -- Upstream's own time bounds both ends of a change; else it lies between two looks of the mirror.
    SELECT
      h.job_id,
      h.to_status AS status,
      -- Where started is when processing began, nobody knows since when a job was in the queue.
      julianday(
        COALESCE(h.occurred_at, h.not_before, CASE WHEN n.occurred_at = j.started THEN NULL ELSE j.started END)
      ) AS entered_first,
      julianday(COALESCE(h.occurred_at, h.observed_at)) AS entered_last,
      -- Of a job that was not seen in processing, the end is stated, not when it left the queue.
      julianday(
        CASE WHEN h.to_status = 0 AND n.to_status <> 1 THEN n.not_before ELSE COALESCE(n.occurred_at, n.not_before) END
      ) AS left_first,
      julianday(COALESCE(n.occurred_at, n.observed_at)) AS left_last,
      n.seq IS NULL AS is_open,
      -- Of what lies in quarantine perhaps not even the status could be read.
      j.presence = 'listed' AND NOT EXISTS (
        SELECT 1 FROM quarantined_jobs AS q WHERE q.job_id = j.id AND q.resolved_at IS NULL
      ) AS is_read
    FROM job_status_history AS h
    JOIN jobs AS j ON j.id = h.job_id
    -- The change that ended it; a join, not a window, so that the rows of one job are found by their key.
    LEFT JOIN job_status_history AS n ON n.job_id = h.job_id AND n.seq = h.seq + 1
  ),
  bounds AS (
    SELECT
      v.job_id,
      s.code AS status,
      s.name AS status_name,
      v.is_open,
      MAX(0, 86400 * COALESCE(
        v.left_first - v.entered_last,
        CASE WHEN v.is_read THEN l.seen_at - v.entered_last END,
        0
      )) AS lower_s,
      86400 * (v.left_last - v.entered_first) AS upper_s
    FROM visits AS v
    JOIN job_statuses AS s ON s.code = v.status
    CROSS JOIN looks AS l
    WHERE NOT (s.is_terminal AND v.is_open)
  )
SELECT
  job_id,
  status,
  status_name,
  COUNT(*) AS visits,
  MAX(is_open) AS is_open,
  ROUND(SUM(lower_s), 3) AS lower_s,
  -- One visit without an upper bound leaves the sum without one. Clocks may disagree: never below the lower bound.
  CASE WHEN COUNT(upper_s) = COUNT(*) THEN ROUND(SUM(MAX(lower_s, upper_s)), 3) END AS upper_s
FROM bounds
GROUP BY job_id, status, status_name;
CREATE VIEW status_transitions AS
-- A status change that the API showed, labelled; the first row of a job is the mirror's first sight of it.
-- job_id (integer): job
-- seq (integer): number of the change within the job, from 1
-- from_status (integer): status code before; null in the first row
-- from_name (text): status before
-- to_status (integer): status code after
-- to_name (text): status after
-- happened_at (time): the moment upstream states, else when the mirror saw it
-- not_before (time): when the mirror last saw the old status; null in the first row
-- observed_at (time): when the mirror saw the new one
-- occurred_at (time): the moment upstream states, else null
-- preview (boolean): whether the job is a free preview
-- description (text): the job's free text
-- sync_run_id (integer): run that saw it
SELECT
  h.job_id,
  h.seq,
  h.from_status,
  f.name AS from_name,
  h.to_status,
  t.name AS to_name,
  COALESCE(h.occurred_at, h.observed_at) AS happened_at,
  h.not_before,
  h.observed_at,
  h.occurred_at,
  COALESCE(j.preview, FALSE) AS preview,
  j.description,
  h.sync_run_id
FROM job_status_history AS h
JOIN jobs AS j ON j.id = h.job_id
LEFT JOIN job_statuses AS f ON f.code = h.from_status
LEFT JOIN job_statuses AS t ON t.code = h.to_status;
CREATE VIEW storage_usage AS
-- An output that still takes space upstream, largest first: not deleted, not taken from its job, its job not gone.
-- output_video_id (integer): output video
-- job_id (integer): job that made it
-- name (text): media name
-- size (integer): size in bytes
-- share (real): its part of all that is listed here, 0 to 1
-- cumulative_size (integer): bytes of this output and all larger ones
-- created_at (time): when it was created upstream
-- width (integer): width in pixels
-- height (integer): height in pixels
-- duration_s (real): length in seconds
-- codec (text): codec that the job asked for
-- preview (boolean): whether it is a free preview
-- quality_score (integer): rating by the user, 1 worst to 5 best
-- credits (money): what the job cost; a preview 0
-- description (text): the job's free text
-- file (text): URL without its presigned query string
SELECT
  v.id AS output_video_id,
  j.id AS job_id,
  v.name,
  v.size,
  CAST(v.size AS double precision) / NULLIF(SUM(v.size) OVER (), 0) AS share,
  CAST(SUM(v.size) OVER (ORDER BY v.size DESC, v.id ROWS UNBOUNDED PRECEDING) AS bigint) AS cumulative_size,
  v.created_at,
  v.width,
  v.height,
  CASE WHEN v.framerate > 0.001 THEN v.n_frames / v.framerate END AS duration_s,
  j.codec,
  COALESCE(j.preview, FALSE) AS preview,
  v.quality_score,
  CASE WHEN j.preview THEN 0.0000 ELSE j.cost_usd END AS credits,
  j.description,
  v.file
FROM output_videos AS v
JOIN jobs AS j ON j.output_video_id = v.id
-- A petabyte is no size of a video: a few such numbers would be more than a sum can hold.
WHERE v.deleted IS NULL AND v.size > 0 AND v.size < 1000000000000000 AND j.output_video_detached_at IS NULL AND j.presence <> 'gone'
ORDER BY v.size DESC, v.id;
CREATE VIEW sync_health AS
-- How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.
-- certified_at (time): the last instant at which the mirror is proven to have held exactly the listed jobs; null: never
-- certified_age_s (real): seconds since then, on the database's clock
-- last_run_id (integer): newest run; null if there was none
-- last_run_kind (text): full or poll
-- last_run_outcome (text): running, succeeded, failed, interrupted or abandoned
-- last_run_at (time): when it began
-- last_success_at (time): when a run last ended well
-- last_failure_at (time): when a run last failed
-- last_error (text): why it failed
-- jobs (integer): jobs in the mirror, gone ones included
-- in_flight (integer): jobs that are not over and not gone
-- missing (integer): jobs that the list lacks without an explanation yet
-- waiting_for_operator (integer): those of them that wait for tpmirror gone confirm or restore
-- quarantined (integer): payloads that could not be mirrored, or not whole, and are not resolved
WITH
  runs AS (
    SELECT
      (SELECT MAX(id) FROM sync_runs) AS last_id,
      (SELECT MAX(id) FROM sync_runs WHERE certified) AS certified_id,
      (SELECT MAX(id) FROM sync_runs WHERE outcome = 'failed') AS failed_id
  ),
  proof AS (
    SELECT replace(replace(json_extract(c.certificate, '$.counted_at'), 'T', ' '), 'Z', '+00:00') AS certified_at
    FROM runs AS r
    LEFT JOIN sync_runs AS c ON c.id = r.certified_id
  )
SELECT
  p.certified_at,
  ROUND(86400 * (julianday('now') - julianday(p.certified_at)), 3) AS certified_age_s,
  l.id AS last_run_id,
  l.kind AS last_run_kind,
  l.outcome AS last_run_outcome,
  l.started_at AS last_run_at,
  (SELECT MAX(finished_at) FROM sync_runs WHERE outcome = 'succeeded') AS last_success_at,
  f.finished_at AS last_failure_at,
  f.error AS last_error,
  (SELECT COUNT(*) FROM jobs) AS jobs,
  (
    SELECT COUNT(*)
    FROM jobs AS j JOIN job_statuses AS s ON s.code = j.status
    WHERE NOT s.is_terminal AND j.presence <> 'gone'
  ) AS in_flight,
  (SELECT COUNT(*) FROM jobs WHERE presence = 'missing') AS missing,
  (
    SELECT COUNT(*)
    FROM job_absences AS a JOIN jobs AS j ON j.id = a.job_id
    WHERE a.answer IN ('not found', 'not asked', 'restored') AND a.confirmed_at IS NULL AND j.presence = 'missing'
  ) AS waiting_for_operator,
  (SELECT COUNT(*) FROM quarantined_jobs WHERE resolved_at IS NULL) AS quarantined
FROM runs AS r
CROSS JOIN proof AS p
LEFT JOIN sync_runs AS l ON l.id = r.last_id
LEFT JOIN sync_runs AS f ON f.id = r.failed_id;
CREATE VIEW videos AS
-- A video of either kind; an id may stand twice, once as an input and once as an output.
-- kind (text): input or output
-- video_id (integer): id, unique within its kind
-- job_id (integer): job that made it; null for inputs, which may serve many jobs
-- name (text): media name
-- owner (text): inputs: e-mail address (personal data), outputs: user id
-- width (integer): width in pixels
-- height (integer): height in pixels
-- megapixels (real): millions of pixels per frame
-- n_frames (integer): number of frames
-- framerate (real): frames per second
-- duration_s (real): length in seconds
-- size (integer): size in bytes
-- bitrate (integer): bits per second
-- codec_id (text): codec as MediaInfo names it
-- bit_depth (integer): bits per sample
-- chroma_subsampling (text): for example 4:2:0
-- color_space (text): for example YUV
-- quality_score (integer): rating of an output, 1 worst to 5 best
-- created_at (time): when it was created upstream
-- deleted_at (time): when an output was deleted upstream; null if it was not
-- file (text): URL without its presigned query string
-- first_seen_at (time): when the mirror first saw it
-- changed_at (time): when the mirror last saw it change
SELECT
  'input' AS kind,
  id AS video_id,
  CAST(NULL AS bigint) AS job_id,
  name,
  owner,
  width,
  height,
  CAST(width AS double precision) * height / 1000000 AS megapixels,
  n_frames,
  framerate,
  CASE WHEN framerate > 0.001 THEN n_frames / framerate END AS duration_s,
  size,
  bitrate,
  codec_id,
  bit_depth,
  chroma_subsampling,
  color_space,
  CAST(NULL AS integer) AS quality_score,
  created_at,
  CAST(NULL AS timestamptz) AS deleted_at,
  file,
  first_seen_at,
  changed_at
FROM input_videos
UNION ALL
SELECT
  'output',
  id,
  job_id,
  name,
  CAST(owner AS text),
  width,
  height,
  CAST(width AS double precision) * height / 1000000,
  n_frames,
  framerate,
  CASE WHEN framerate > 0.001 THEN n_frames / framerate END,
  size,
  bitrate,
  codec_id,
  bit_depth,
  chroma_subsampling,
  color_space,
  quality_score,
  created_at,
  deleted,
  file,
  first_seen_at,
  changed_at
FROM output_videos;
CREATE VIEW active_jobs AS
-- A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.
-- job_id (integer): job
-- status (integer): status code
-- status_name (text): status
-- presence (text): listed, missing or unlisted
-- preview (boolean): free preview
-- description (text): free text
-- input_name (text): name of the input video
-- models (text): names of the models, separated by commas
-- resolution (text): output resolution
-- credits (money): what it costs; a preview 0
-- started (time): upstream's start time, probably the creation
-- waiting_s (real): seconds since then, on the database's clock
-- status_since (time): when upstream says that it came into its status, else when the mirror saw it there
-- status_s (real): seconds since then
-- processing_progress (real): ratio from 0 to 1, as last seen
-- eta_s (real): estimated seconds to the end, as last seen
SELECT
  a.job_id,
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
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(a.started))), 3) AS waiting_s,
  a.status_since,
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(a.status_since))), 3) AS status_s,
  a.processing_progress,
  a.eta_s
FROM (
  SELECT
    o.*,
    (
      SELECT COALESCE(h.occurred_at, h.observed_at)
      FROM job_status_history AS h
      WHERE h.job_id = o.job_id
      ORDER BY h.seq DESC
      LIMIT 1
    ) AS status_since
  FROM job_overview AS o
  WHERE NOT o.is_terminal AND o.presence <> 'gone'
) AS a
ORDER BY a.started NULLS LAST, a.job_id;
CREATE VIEW daily_costs AS
-- Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.
-- day (date): day (UTC)
-- jobs (integer): jobs that count on it
-- credits (money): what they cost; sums to jobs.cost_usd exactly, previews left out
SELECT
  day,
  COUNT(*) AS jobs,
  -- In whole ten-thousandths, so that no sum of binary fractions is off in the last decimal.
  ROUND(SUM(CAST(ROUND(COALESCE(credits, 0) * 10000) AS bigint)) / 10000.0, 4) AS credits
FROM job_overview
WHERE NOT preview
GROUP BY day;
CREATE VIEW failure_rates AS
-- Jobs, failures and cancellations per month (UTC), model and output resolution; free previews count too.
-- month (text): month in which the jobs count, YYYY-MM
-- ml_model_id (integer): model; null for jobs without one; a job with two models counts for each
-- model (text): its name
-- resolution (text): output resolution
-- jobs (integer): jobs, those in flight included
-- finished (integer): jobs that finished
-- failures (integer): jobs that failed
-- cancellations (integer): jobs that were canceled
-- failure_rate (real): failures by all that ended, 0 to 1; null if none ended
-- credits_failed (money): what the failed jobs cost, as upstream states it
SELECT
  o.month,
  l.ml_model_id,
  m.name AS model,
  o.resolution,
  COUNT(*) AS jobs,
  SUM(CASE WHEN o.status = 2 THEN 1 ELSE 0 END) AS finished,
  SUM(CASE WHEN o.status = -1 THEN 1 ELSE 0 END) AS failures,
  SUM(CASE WHEN o.status = -2 THEN 1 ELSE 0 END) AS cancellations,
  CAST(SUM(CASE WHEN o.status = -1 THEN 1 ELSE 0 END) AS double precision)
    / NULLIF(SUM(CASE WHEN o.is_terminal THEN 1 ELSE 0 END), 0) AS failure_rate,
  ROUND(
    SUM(CASE WHEN o.status = -1 THEN CAST(ROUND(COALESCE(o.credits, 0) * 10000) AS bigint) ELSE 0 END) / 10000.0, 4
  ) AS credits_failed
FROM job_overview AS o
LEFT JOIN (SELECT DISTINCT job_id, ml_model_id FROM job_ml_models) AS l ON l.job_id = o.job_id
LEFT JOIN ml_models AS m ON m.id = l.ml_model_id
GROUP BY o.month, l.ml_model_id, m.name, o.resolution;
CREATE VIEW cost_by_model AS
-- Credits per month (UTC) and model: a job's cost shared among its models by their weights at the time.
-- month (text): month in which the jobs count, YYYY-MM
-- ml_model_id (integer): model; null for jobs without models or weights
-- model (text): its name
-- task (text): name of its task
-- jobs (integer): jobs that used it; a job with two models counts for each
-- credits (money): its share of their cost; sums to jobs.cost_usd exactly
SELECT
  g.month,
  g.ml_model_id,
  m.name AS model,
  t.name AS task,
  g.jobs,
  ROUND(g.units / 10000.0, 4) AS credits
FROM (
  -- Names come after the sums: rows are sorted by numbers and months alone.
  SELECT o.month, c.ml_model_id, COUNT(DISTINCT o.job_id) AS jobs, SUM(c.share_units) AS units
  FROM job_model_costs AS c JOIN job_overview AS o ON o.job_id = c.job_id
  GROUP BY o.month, c.ml_model_id
) AS g
LEFT JOIN ml_models AS m ON m.id = g.ml_model_id
LEFT JOIN ml_tasks AS t ON t.code = m.task;
CREATE VIEW cost_ledger AS
-- A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.
-- job_id (integer): job
-- entry (integer): 0 for the charge, else the number in field_changes of the change that corrected it
-- kind (text): charge: what the job cost when it was first seen; correction: by how much a change moved that
-- booked_at (time): charge: when the job finished, else started, else was first seen; correction: when it was seen
-- day (date): day of booked_at (UTC)
-- month (text): its month, YYYY-MM
-- credits (money): the amount; each job has one charge, of 0 if it was without a cost
-- preview (boolean): whether the job is a free preview: what upstream states as its cost is not charged
SELECT
  o.job_id,
  CAST(0 AS bigint) AS entry,
  'charge' AS kind,
  COALESCE(o.finished, o.started, o.first_seen_at) AS booked_at,
  o.day,
  o.month,
  -- What the job costs now, less what corrections have moved since it was first seen.
  ROUND((CAST(ROUND(COALESCE(o.cost_usd, 0) * 10000) AS bigint) - COALESCE(c.units, 0)) / 10000.0, 4) AS credits,
  o.preview
FROM job_overview AS o
LEFT JOIN (
  SELECT job_id, CAST(SUM(units) AS bigint) AS units FROM cost_corrections GROUP BY job_id
) AS c ON c.job_id = o.job_id
UNION ALL
SELECT
  c.job_id,
  c.field_change_id,
  'correction',
  c.observed_at,
  date(c.observed_at),
  substr(c.observed_at, 1, 7),
  c.credits,
  COALESCE(j.preview, FALSE)
FROM cost_corrections AS c
JOIN jobs AS j ON j.id = c.job_id
WHERE c.units <> 0;
CREATE VIEW focus_costs AS
-- A row of cost_ledger in the columns of the FinOps FOCUS specification 1.2; sums to jobs.cost_usd exactly.
-- BilledCost (money): amount in Credits, signed; an account buys Credits beforehand, no national currency is known here
-- BillingAccountId (text): user- and the number of the account's user; unknown before the first output
-- BillingAccountName (text): always null: the API names no account
-- BillingCurrency (text): XXX, the code of ISO 4217 for no currency: the amounts are Credits, see PricingCurrency
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
-- ContractedCost (money): as BilledCost
-- ContractedUnitPrice (money): 1 per Credit; null for a correction
-- EffectiveCost (money): as BilledCost
-- InvoiceIssuerName (text): always TensorPix
-- ListCost (money): as BilledCost
-- ListUnitPrice (money): 1 per Credit; null for a correction
-- PricingCategory (text): always Standard
-- PricingCurrency (text): always Credits
-- PricingCurrencyContractedUnitPrice (money): as ContractedUnitPrice
-- PricingCurrencyEffectiveCost (money): as EffectiveCost
-- PricingCurrencyListUnitPrice (money): as ListUnitPrice
-- PricingQuantity (money): Credits charged; null for a correction
-- PricingUnit (text): Credits; null for a correction
-- ProviderName (text): always TensorPix
-- PublisherName (text): always TensorPix
-- ResourceId (text): job- and the number of the job
-- ResourceName (text): name of its input video
-- ResourceType (text): always Job
-- ServiceCategory (text): always Media
-- ServiceName (text): always Video Enhancement
-- ServiceSubcategory (text): always Content Creation
-- x_JobId (integer): job
-- x_LedgerEntry (integer): entry of cost_ledger: 0 for the charge, else the number of the change
SELECT
  l.credits AS "BilledCost",
  COALESCE('user-' || (SELECT MIN(value) FROM mirror_scope WHERE kind = 'output_owner'), 'unknown') AS "BillingAccountId",
  CAST(NULL AS text) AS "BillingAccountName",
  'XXX' AS "BillingCurrency",
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
  l.credits AS "ContractedCost",
  CASE WHEN l.kind = 'charge' THEN 1.0 END AS "ContractedUnitPrice",
  l.credits AS "EffectiveCost",
  'TensorPix' AS "InvoiceIssuerName",
  l.credits AS "ListCost",
  CASE WHEN l.kind = 'charge' THEN 1.0 END AS "ListUnitPrice",
  'Standard' AS "PricingCategory",
  'Credits' AS "PricingCurrency",
  CASE WHEN l.kind = 'charge' THEN 1.0 END AS "PricingCurrencyContractedUnitPrice",
  l.credits AS "PricingCurrencyEffectiveCost",
  CASE WHEN l.kind = 'charge' THEN 1.0 END AS "PricingCurrencyListUnitPrice",
  CASE WHEN l.kind = 'charge' THEN l.credits END AS "PricingQuantity",
  CASE WHEN l.kind = 'charge' THEN 'Credits' END AS "PricingUnit",
  'TensorPix' AS "ProviderName",
  'TensorPix' AS "PublisherName",
  'job-' || CAST(l.job_id AS text) AS "ResourceId",
  o.input_name AS "ResourceName",
  'Job' AS "ResourceType",
  'Media' AS "ServiceCategory",
  'Video Enhancement' AS "ServiceName",
  'Content Creation' AS "ServiceSubcategory",
  l.job_id AS "x_JobId",
  l.entry AS "x_LedgerEntry"
FROM cost_ledger AS l
JOIN job_overview AS o ON o.job_id = l.job_id;
COMMIT;
