#!/bin/sh
# Reads many records and prints rates.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
exec "$(dirname "$self")/millrace" kafka-consumer-perf-test "$@"
