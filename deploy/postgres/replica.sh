#!/bin/sh
# The replica: the first time a copy of the primary, then whatever the primary writes, as it arrives.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --host=database --username=replicator --pgdata="$PGDATA" \
    --wal-method=stream --checkpoint=fast --write-recovery-conf
fi
chmod 700 "$PGDATA"
exec postgres
