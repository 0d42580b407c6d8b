#!/bin/sh
# Sends numbers and prints what became of each, as JSON.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
exec "$(dirname "$self")/millrace" kafka-verifiable-producer "$@"
