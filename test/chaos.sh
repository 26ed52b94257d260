#!/bin/bash
# The chaos test for longer: MINUTES (1) minutes of faults for each SEED (one at random), which replays the same faults.
set -euo pipefail
CHAOS_SECONDS=$((60 * ${MINUTES:-1})) CHAOS_SEED=${SEED:-$((SRANDOM % 1000000))} \
	exec "$(dirname "${BASH_SOURCE[0]}")/tap.sh" 040_chaos.pl
