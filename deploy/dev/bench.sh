# shellcheck shell=bash
# ./dev bench: measures on a Compose project of its own, removed afterwards. The load generator runs inside
# the project's network, because a published port costs a part of a core; what it cannot do from there,
# stopping services and reading their memory, is done here. Each part adds a line of JSON to FIGURES, and
# `load report` makes the table of them.

run_bench() {
  local json=
  if [ "${1:-}" = --json ]; then
    json=${2:?"--json wants a file name"}
    shift 2
  fi
  FIGURES=$ROOT/target/dev/figures
  ensure_engine
  use_bench_project
  check_ports
  prepare_images
  step "load generator image" compose build load
  trap finish_bench EXIT
  start_empty_stack
  measure "$@"
  report "$json"
}

use_bench_project() {
  export COMPOSE_PROJECT_NAME=spillway-bench
  export GATEWAY_PORT=28080 AMQP_PORT=25672 RABBITMQ_UI_PORT=25674 KAFKA_PORT=29092 MAIL_PORT=21080
  # The catcher keeps what is counted.
  export MAX_EMAILS=0
  use_compose_files
}

# measure ARGUMENTS...: the arguments go to every part, for example `--seconds 5` for a quick look. A part that
# leaves a backlog comes after those that it would disturb.
measure() {
  local at_work
  describe_machine >"$FIGURES"
  step "look at idle memory" sleep 10
  figures_of idle_mib "$(memory VmRSS "${SERVICES[@]}")" >>"$FIGURES"
  step "warm up" warm_up
  load bench latency "$@"
  load bench delivered "$@"
  at_work=$(memory VmHWM notification)
  step "stop notification" compose stop notification
  load bench confirmed "$@"
  at_work+=,$(memory VmHWM order inventory)
  figures_of load_mib "$at_work" >>"$FIGURES"
  step "start notification" compose start notification
  drain >>"$FIGURES"
  step "stop inventory and notification" compose stop inventory notification
  load bench accepted "$@"
}

# What 20,000 orders take that were placed while inventory was away, from the moment at which it is started.
# Beside it notification works off what has come while it was stopped.
drain() {
  step "stop inventory" compose stop inventory >&2
  compose run --rm --no-deps -T load bench accepted --rate 1000 --warm-up 0 --seconds 20 >/dev/null
  local start=$EPOCHREALTIME
  step "start inventory, wait for the orders" decide_all >&2
  awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN {printf "{\"drain_s\":%.1f}\n", end - start}'
}

decide_all() {
  compose start inventory
  compose run --rm --no-deps -T load drained
}

# load ARGUMENTS...: its figures are one line on standard output, its words for people go to the screen.
load() { compose run --rm --no-deps -T load "$@" >>"$FIGURES"; }

# The virtual machines of both brokers and of the mail catcher compile what is used, in the first minute.
warm_up() { compose run --rm --no-deps -T load bench latency --rate 200 --seconds 40; }

report() {
  compose run --rm --no-deps -T load report <"$FIGURES" >"$FIGURES.json"
  [ -z "$1" ] || cp "$FIGURES.json" "$1"
}

describe_machine() {
  printf '{"machine":"%s cores, %s","commit":"%s"}\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(git rev-parse --short HEAD)"
  local name sizes=()
  for name in "${SERVICES[@]}"; do
    sizes+=("\"$name\":$(compose exec -T "$name" stat -c %s "/usr/local/bin/$name" | awk '{printf "%.1f", $1 / 1048576}')")
  done
  figures_of binary_mib "$(IFS=,; echo "${sizes[*]}")"
}

# memory FIELD SERVICE...: VmRSS is what is resident now, VmHWM the most that was, each in MiB.
memory() {
  local field=$1 name figures=()
  shift
  for name in "$@"; do
    figures+=("\"$name\":$(compose exec -T "$name" cat /proc/1/status | awk -v field="$field:" '$1 == field {printf "%.1f", $2 / 1024}')")
  done
  (IFS=,; echo "${figures[*]}")
}

figures_of() { printf '{"%s":{%s}}\n' "$1" "$2"; }

finish_bench() {
  local rc=$?
  trap - EXIT
  remove_stack
  exit "$rc"
}
