#!/bin/sh
# Stops the coordination servers of this machine.
signal=${SIGNAL:-TERM}
pids=$(ps ax -o pid= -o args= | grep '[Q]uorumPeerMain' | grep -v grep | awk '{print $1}')
if [ -z "$pids" ]; then
  echo "No zookeeper server to stop"
  exit 1
fi
# shellcheck disable=SC2086
kill -s "$signal" $pids
