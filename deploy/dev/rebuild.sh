# shellcheck shell=bash
# ./dev rebuild: has the console read everything from the topics once more.

run_rebuild() {
  [ $# -eq 0 ] || die "./dev rebuild takes no arguments." "./dev alone lists the commands."
  ensure_engine
  [ -n "$(compose ps --all --quiet console)" ] || die "there is no console." "Start it: ./dev up"
  CONSOLES=$(compose ps --quiet console | wc -l)
  trap bring_consoles_back EXIT
  step "stop the console" compose stop console
  step "empty what it has read" compose run --rm --no-deps -T console rebuild
}

# For a trap: as many as before, whatever happened.
bring_consoles_back() {
  local rc=$?
  trap - EXIT
  [ "$CONSOLES" -eq 0 ] || step "start the console" start_consoles
  exit "$rc"
}

start_consoles() {
  compose up --detach --no-deps --no-build --no-recreate --scale "console=$CONSOLES" \
    --wait --wait-timeout 120 console
}
