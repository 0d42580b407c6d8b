#!/bin/sh
# Stops the brokers of this machine.
signal=${SIGNAL:-TERM}
pids=$(ps ax -o pid= -o args= | grep ' kafka\.Kafka ' | grep -v grep | awk '{print $1}')
if [ -z "$pids" ]; then
  echo "No kafka server to stop"
  exit 1
fi
# shellcheck disable=SC2086
kill -s "$signal" $pids
