-- Three roles for a mirror on PostgreSQL, each with what it needs and no more:
--
--   tpmirror_owner   owns tables and views, cannot log in; migrations run as this role
--   tpmirror_writer  what `tpmirror sync`, `poll` and `run` log in as: cannot change history, nor the schema
--   tpmirror_reader  what a BI tool logs in as: no e-mail addresses, no payloads, cannot write, cannot hold up the writer
--
-- Run it in the mirror's database, as a superuser, or as a role that may create roles and owns the database:
--
--   psql -v ON_ERROR_STOP=1 -d tpmirror -f postgres-roles.sql
--
-- once before the first `tpmirror db upgrade` and again after that and every later upgrade: the first time there are no
-- tables to grant yet. It may run as often as you like and ends in the same state. Roles get no password here: set one
-- with \password in psql, or let pg_hba.conf decide how they log in. See docs/postgresql.md.
--
-- The mirror is in the schema public, unless the session names another one (TPMIRROR_DATABASE_SCHEMA); run it for each:
--
--   psql -v ON_ERROR_STOP=1 -d tpmirror -c "SET tpmirror.schema = 'team_a'" -f postgres-roles.sql

BEGIN;

-- For this transaction every name below means one in the mirror's schema.
DO $$
DECLARE
  mirror constant text := COALESCE(NULLIF(current_setting('tpmirror.schema', true), ''), 'public');
BEGIN
  IF to_regnamespace(quote_ident(mirror)) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', mirror);
  END IF;
  PERFORM set_config('search_path', quote_ident(mirror), true);
END $$;

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['tpmirror_owner', 'tpmirror_writer', 'tpmirror_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I', role);
    END IF;
  END LOOP;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT tpmirror_owner TO %I', current_user);  -- to give tables to a role one has to be a member
  END IF;
END $$;

ALTER ROLE tpmirror_owner NOLOGIN;
ALTER ROLE tpmirror_writer LOGIN CONNECTION LIMIT 20;
ALTER ROLE tpmirror_reader LOGIN CONNECTION LIMIT 10;

-- Defaults, so that no forgotten query holds back clean-up or a migration. A session may change them: what keeps a
-- reader from writing are the privileges below.
ALTER ROLE tpmirror_reader SET default_transaction_read_only = on;
ALTER ROLE tpmirror_reader SET statement_timeout = '60s';
ALTER ROLE tpmirror_reader SET lock_timeout = '5s';
ALTER ROLE tpmirror_reader SET idle_in_transaction_session_timeout = '60s';

-- The database and its schema: nobody else's, and no temporary tables.
DO $$
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM tpmirror_writer, tpmirror_reader', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO tpmirror_owner, tpmirror_writer, tpmirror_reader', current_database());
  EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC, tpmirror_writer, tpmirror_reader', current_schema());
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO tpmirror_owner', current_schema());
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO tpmirror_writer, tpmirror_reader', current_schema());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Advisory locks are one space of numbers for all roles: a role that holds the lock of the migrations blocks them. And
-- large objects and messages in the write-ahead log are written by function calls, which no table's grants restrict.
DO $$
DECLARE
  loose regprocedure;
BEGIN
  FOR loose IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace
      AND proname ~ '^(pg_.*advisory.*|lo_.*|loread|lowrite|pg_logical_emit_message)$'
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', loose);
    IF loose::text ~ 'advisory' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tpmirror_owner', loose);
    END IF;
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'advisory locks and large objects stay open to everybody: only a superuser can take them away';
END $$;

-- Tables and views, once they are there. What an upgrade adds is closed to the reader until this has run again; views
-- keep their grants when an upgrade rebuilds them.
DO $$
DECLARE
  relations text[];
  relation text;
  columns text;
  verbs text;
  hidden constant jsonb := '{
    "input_videos": ["owner"],
    "videos": ["owner"],
    "job_overview": ["input_owner"],
    "field_changes": ["old_value", "new_value"],
    "quarantined_jobs": ["payload", "reason"],
    "mirror_scope": ["value"],
    "writer_lease": ["holder"]
  }';  -- e-mail addresses, payloads that hold them, and who writes where
  writable constant jsonb := '{
    "jobs": "INSERT, UPDATE",
    "input_videos": "INSERT, UPDATE",
    "output_videos": "INSERT, UPDATE",
    "ml_models": "INSERT, UPDATE",
    "job_ml_models": "INSERT, UPDATE, DELETE",
    "job_absences": "INSERT, UPDATE, DELETE",
    "job_progress_samples": "INSERT, UPDATE, DELETE",
    "eta_errors": "INSERT, DELETE",
    "job_statuses": "INSERT",
    "ml_tasks": "INSERT",
    "output_resolutions": "INSERT",
    "mirror_scope": "INSERT",
    "credit_prices": "INSERT, UPDATE",
    "quarantined_jobs": "INSERT, UPDATE, DELETE",
    "sync_runs": "INSERT, UPDATE, DELETE",
    "writer_lease": "UPDATE",
    "alerts": "INSERT, UPDATE",
    "event_cursors": "INSERT, UPDATE",
    "event_deliveries_dead": "INSERT, UPDATE, DELETE",
    "accepted_faults": "INSERT, DELETE",
    "exports": "INSERT, UPDATE",
    "job_status_history": "INSERT",
    "field_changes": "INSERT (entity, entity_id, field, old_value, new_value, observed_at, sync_run_id)"
  }';  -- history: rows are added, never changed, and the number of a change is the database's to give
BEGIN
  EXECUTE format(
    'ALTER DEFAULT PRIVILEGES FOR ROLE tpmirror_owner IN SCHEMA %I GRANT SELECT ON TABLES TO tpmirror_writer',
    current_schema()
  );
  IF to_regclass('data_dictionary') IS NULL THEN
    RAISE NOTICE 'no mirror here yet: run tpmirror db upgrade as tpmirror_owner, then this file again';
    RETURN;
  END IF;

  relations := ARRAY(
    SELECT DISTINCT table_name FROM data_dictionary WHERE to_regclass(quote_ident(table_name)) IS NOT NULL
  ) || ARRAY['alembic_version'];
  FOREACH relation IN ARRAY relations LOOP
    EXECUTE format('ALTER TABLE %I OWNER TO tpmirror_owner', relation);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, tpmirror_writer, tpmirror_reader', relation);
    EXECUTE format('GRANT SELECT ON %I TO tpmirror_writer', relation);

    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = to_regclass(quote_ident(relation)) AND attnum > 0 AND NOT attisdropped
      AND NOT COALESCE(hidden -> relation, '[]') ? attname;
    IF hidden ? relation THEN
      EXECUTE format('GRANT SELECT (%s) ON %I TO tpmirror_reader', columns, relation);
    ELSE
      EXECUTE format('GRANT SELECT ON %I TO tpmirror_reader', relation);
    END IF;
  END LOOP;

  FOR relation, verbs IN SELECT key, value FROM jsonb_each_text(writable) LOOP
    EXECUTE format('GRANT %s ON %I TO tpmirror_writer', verbs, relation);
  END LOOP;

  FOREACH relation IN ARRAY ARRAY['sync_runs', 'field_changes', 'quarantined_jobs', 'alerts'] LOOP
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO tpmirror_writer', pg_get_serial_sequence(relation, 'id'));
  END LOOP;

  ALTER FUNCTION tpmirror_refuse_change() OWNER TO tpmirror_owner;
END $$;

COMMIT;
