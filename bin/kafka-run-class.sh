#!/bin/sh
# Runs a command by the name of its Java class; with -daemon in the background, under the name of -name.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
bin=$(cd "$(dirname "$self")" && pwd -P) || exit 1
daemon=
name=server
while [ $# -gt 0 ]; do
  case $1 in
    -daemon) daemon=1; shift ;;
    -name) name=$2; shift 2 ;;
    -loggc) shift ;;
    *) break ;;
  esac
done
[ -n "$daemon" ] || exec "$bin/millrace" "$@"
logs=${LOG_DIR:-$bin/../logs}
mkdir -p "$logs" || exit 1
# The broker's is called server.log, where scripts look for it.
[ "$name" = kafkaServer ] && name=server
nohup "$bin/millrace" "$@" >>"$logs/$name.log" 2>&1 </dev/null &
