#!/bin/sh
# Makes .env for docker-compose.yml: each secret fresh, 32 bytes of chance in hexadecimal. It never touches one that is
# there: who changes POSTGRES_PASSWORD in it has to change it in the database too.
set -eu
umask 077
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo ".env is there; nothing was changed." >&2
    exit 1
fi
{
    echo "# The secrets of docker-compose.yml. Settings of .env.example may be added."
    for name in SECRET_KEY POSTGRES_PASSWORD REDIS_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY FLOWER_PASSWORD GRAFANA_PASSWORD; do
        echo "$name=$(od -An -v -N 32 -tx1 /dev/urandom | tr -d ' \n')"
    done
} >.env.new
mv .env.new .env
echo ".env is made. Keep it, and keep it to yourself."
