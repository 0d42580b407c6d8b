#!/bin/sh
# Sends many records and prints rates and latencies.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
exec "$(dirname "$self")/millrace" kafka-producer-perf-test "$@"
