#!/bin/sh
# The replica: a copy of the primary the first time, then what the primary writes, as it comes.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --host=database --username=replicator --pgdata="$PGDATA" \
    --wal-method=stream --checkpoint=fast --write-recovery-conf
fi
chmod 700 "$PGDATA"
exec postgres
