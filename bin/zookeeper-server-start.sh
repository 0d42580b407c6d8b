#!/bin/sh
# Starts a coordination server.
usage() {
  echo "USAGE: $0 [-daemon] zookeeper.properties" >&2
  exit 1
}
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
bin=$(cd "$(dirname "$self")" && pwd -P) || exit 1
[ $# -gt 0 ] || usage
daemon=
while [ $# -gt 0 ]; do
  case $1 in
    -daemon) daemon=1; shift ;;
    -name) shift 2 ;;
    -loggc) shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || usage
if [ -n "$daemon" ]; then
  logs=${LOG_DIR:-$bin/../logs}
  mkdir -p "$logs" || exit 1
  nohup "$bin/millrace" org.apache.zookeeper.server.quorum.QuorumPeerMain "$@" >>"$logs/zookeeper.log" 2>&1 </dev/null &
else
  exec "$bin/millrace" org.apache.zookeeper.server.quorum.QuorumPeerMain "$@"
fi
