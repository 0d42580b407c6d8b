#!/bin/sh
# Gives the lead back to the first replica of each partition.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
exec "$(dirname "$self")/millrace" kafka-preferred-replica-election "$@"
