#!/usr/bin/env bash
# Replaces the running workers of this machine one after the other, so that there is always one that serves:
#
#   install -m 755 build/release/bin/worker /opt/words/bin/worker.new
#   mv /opt/words/bin/worker.new /opt/words/bin/worker      # running workers keep the old file
#   examples/20_deploy/rolling_deploy.sh
#
# `systemctl restart` of a unit with Type=notify returns when the new worker serves. The old one has ended before: it
# claimed no more jobs, let the running ones end, and handed back the others. If a worker does not come up, the rest
# goes on with the old program.
set -euo pipefail

units=$(systemctl list-units --plain --no-legend --state=active 'quarq-worker@*.service' | cut -d' ' -f1)
[[ -n $units ]] || { echo "no quarq-worker@ unit is running" >&2; exit 1; }

for unit in $units; do
  echo "restarting $unit"
  if ! systemctl restart "$unit"; then
    echo "$unit does not serve: stopped here; the units after it still run the old program" >&2
    systemctl status --no-pager --lines=20 "$unit" >&2 || true
    exit 1
  fi
done
