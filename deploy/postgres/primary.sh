#!/bin/sh
# The primary's image runs this once, when its database is new: it lets the replica stream from the primary.
set -eu
psql --variable=ON_ERROR_STOP=1 --variable=password="$REPLICATION_PASSWORD" \
  --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD :'password';
CREATE EXTENSION pg_stat_statements;
SQL
echo "host replication replicator samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
