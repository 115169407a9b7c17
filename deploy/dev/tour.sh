# shellcheck shell=bash
# ./dev tour: a walk through the ideas on the running system, step by step.

run_tour() {
  case ${1:-} in -h | --help) ;; *) require_running_system ;; esac
  require_rust
  compile
  addresses localhost
  # In place of this shell, so that Ctrl-C reaches the tour alone, which puts everything back.
  exec "$ROOT/target/release/tour" "$@"
}

require_running_system() {
  if ! engine_answers || ! everything_is_healthy; then
    die "the system is not running, or not healthy." "Start it: ./dev up"
  fi
}
