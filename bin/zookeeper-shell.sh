#!/bin/sh
# Looks into ZooKeeper and changes what is there.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
exec "$(dirname "$self")/millrace" zookeeper-shell "$@"
