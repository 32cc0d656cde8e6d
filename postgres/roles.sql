-- Three roles, each with the least privileges that it needs:
--   order_api           the superuser: backups, make psql; the service never has its password
--   order_api_migrate   owns the tables, and changes them
--   order_api_service   reads and writes rows, and nothing else
-- Idempotent, also on a database in which the superuser owned everything.

\getenv migrate_password MIGRATE_PASSWORD
\getenv service_password SERVICE_PASSWORD

-- One run at a time: concurrent changes of the same role would fail.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('order-api roles')); END $$;

SELECT 'CREATE ROLE ' || name || ' LOGIN'
FROM unnest(ARRAY['order_api_migrate', 'order_api_service']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE order_api_migrate NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'migrate_password';
ALTER ROLE order_api_service NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'service_password';

REVOKE ALL ON DATABASE order_api FROM PUBLIC;
GRANT CONNECT ON DATABASE order_api TO order_api_migrate, order_api_service;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO order_api_migrate;
GRANT USAGE ON SCHEMA public TO order_api_service;

-- Tables created by the superuser; sequences of identity columns follow their tables.
SELECT format('ALTER TABLE public.%I OWNER TO order_api_migrate', relname)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relowner = 'order_api'::regrole \gexec

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO order_api_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO order_api_service;
ALTER DEFAULT PRIVILEGES FOR ROLE order_api_migrate IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO order_api_service;
ALTER DEFAULT PRIVILEGES FOR ROLE order_api_migrate IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO order_api_service;
