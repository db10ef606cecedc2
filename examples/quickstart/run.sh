#!/bin/sh
# The tour of berth: `npm run quickstart`. Needs root; leaves nothing behind. `--once` ends it without waiting for Ctrl-C.
here=$(dirname "$(readlink -f "$0")")
if [ "$(id -u)" != 0 ]; then
  echo "quickstart: containers need root here; try: sudo npm run quickstart" >&2
  exit 1
fi
exec "$here/../../bin/node" "$here/tour.ts" "$@"
