#!/bin/sh
# A PostgreSQL for tests: `tools/postgres.sh start FOLDER` prints its URL, `tools/postgres.sh stop FOLDER` stops it;
# started again, it has what it had. It listens on a socket in FOLDER alone, on no port. Installs Debian's package where
# it is missing; needs root, since the server itself refuses to be root and runs as the user postgres.
set -eu
verb=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1; }
as_postgres() { (cd "$folder" && runuser -u postgres -- "$@"); }
fail() {
    echo "tools/postgres.sh: $1" >&2
    tail -3 "$2" >&2
    exit 1
}

case $verb in
start)
    [ -x "$(bin)/postgres" ] || {
        # only the server, not one that runs from then on
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold postgresql
    } >"$folder/install.log" 2>&1 || fail "PostgreSQL cannot be installed (Debian, root):" "$folder/install.log"
    chown postgres "$folder"
    [ -d "$folder/data" ] || as_postgres "$(bin)/initdb" -D data -U postgres -A trust --no-sync >"$folder/init.log" 2>&1 ||
        fail "no data folder can be made; may the user postgres enter $folder?" "$folder/init.log"
    as_postgres "$(bin)/pg_ctl" start -w -D data -l "$folder/log" \
        -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off" >/dev/null ||
        fail "PostgreSQL does not start:" "$folder/log"
    echo "postgresql+psycopg://postgres@/postgres?host=$folder"
    ;;
stop)
    as_postgres "$(bin)/pg_ctl" stop -m fast -D data >/dev/null
    ;;
*)
    echo "tools/postgres.sh: start FOLDER or stop FOLDER" >&2
    exit 2
    ;;
esac
