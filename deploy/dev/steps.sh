# shellcheck shell=bash
# How ./dev speaks: one line per step with the time it took, everything else in a log file.

LOG_DIR="$ROOT/target/dev/logs"
mkdir -p "$LOG_DIR"

say() { printf '%s\n' "$*"; }

# die WHAT HOW: stops with one line that says what is wrong and one that says how to mend it.
die() {
  printf 'dev: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '     %s\n' "$2" >&2
  exit 1
}

# step NAME COMMAND...: runs COMMAND with its output in a log file named after NAME.
step() {
  local name=$1 log rc started=$SECONDS ticker
  shift
  log="$LOG_DIR/$(log_name "$name").log"
  tick "$name" "$started" &
  ticker=$!
  # The command keeps `set -e` only outside of any condition, hence the detour.
  set +e
  (set -e; "$@") >"$log" 2>&1
  rc=$?
  set -e
  stop_ticking "$ticker"
  finish_step "$name" "$rc" "$started" "$log"
}

# shown_step NAME COMMAND...: the same with the output on the screen as well.
shown_step() {
  local name=$1 log rc started=$SECONDS
  shift
  log="$LOG_DIR/$(log_name "$name").log"
  say "== $name"
  set +e
  (set -e; "$@") 2>&1 | tee "$log"
  rc=${PIPESTATUS[0]}
  set -e
  finish_step "$name" "$rc" "$started" "$log"
}

finish_step() {
  local name=$1 rc=$2 elapsed=$((SECONDS - $3)) log=$4
  if [ "$rc" -eq 0 ]; then
    printf '  done  %-52s %4d s\n' "$name" "$elapsed"
    return 0
  fi
  printf '  FAIL  %-52s %4d s\n' "$name" "$elapsed"
  say "----- last lines of ${log#"$ROOT"/}"
  tail -n 25 "$log"
  say "-----"
  die "'$name' failed." "The full output is in ${log#"$ROOT"/}"
}

# together COMMAND COMMAND: runs both at once, each to its end; one that fails has said why. On a terminal, where a step
# counts its seconds in one line, and Ctrl-C has to end everything, one after the other.
together() {
  local other rc=0 failed=''
  if [ -t 1 ]; then
    "$1"
    "$2"
    return 0
  fi
  # As in `step`.
  set +e
  (set -e; "$1") &
  other=$!
  (set -e; "$2")
  rc=$?
  wait "$other" || failed=yes
  set -e
  [ -z "$failed" ] && [ $rc -eq 0 ] || exit 1
}

# On a terminal the running step's line counts the seconds; elsewhere a line a minute shows life.
tick() {
  trap 'kill "${pause:-}" 2>/dev/null; exit' TERM
  while :; do
    if [ -t 1 ]; then
      printf '\r  ....  %-52s %4d s\r' "$1" $((SECONDS - $2))
      sleep 1 & pause=$!
    else
      [ $SECONDS -eq "$2" ] || printf '  ....  %-52s %4d s\n' "$1" $((SECONDS - $2))
      sleep 60 & pause=$!
    fi
    wait "$pause"
  done
}

stop_ticking() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

log_name() { tr -cs 'a-zA-Z0-9\n' '-' <<<"$1" | sed 's/-$//'; }
