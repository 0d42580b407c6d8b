#!/bin/sh
# Starts a coordination server.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
daemon=
[ "${1:-}" = -daemon ] && { daemon=-daemon; shift; }
if [ $# -eq 0 ]; then
  echo "USAGE: $0 [-daemon] zookeeper.properties" >&2
  exit 1
fi
# shellcheck disable=SC2086
exec "$(dirname "$self")/kafka-run-class.sh" -name zookeeper $daemon org.apache.zookeeper.server.quorum.QuorumPeerMain "$@"
