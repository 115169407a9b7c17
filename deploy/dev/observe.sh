# shellcheck shell=bash
# What watches the system from outside: Prometheus, and where there is an image registry Grafana and Jaeger. They are
# laid over the stack by ./dev up --observe; tests start a Prometheus of their own.

# Whether this command was told to observe.
OBSERVED=''

# observe: the stack that this command starts is watched.
observe() {
  OBSERVED=yes
  expect_prometheus 9090
  PORTS+=(GRAFANA_PORT:3000 JAEGER_PORT:16686)
  lay_over observe
}

# expect_prometheus PORT: it will be started, with this published port unless the environment says another.
expect_prometheus() {
  FURTHER_STAND_INS=(prometheus)
  PORTS+=("PROMETHEUS_PORT:$1")
  name_prometheus
}

# name_prometheus: a stand-in where the other images are stand-ins, and what Compose names where they are official.
# Compose takes it from the environment, because in the override it would be started by plain `docker compose up`.
name_prometheus() {
  [[ $(setting PROMETHEUS_IMAGE spillway/prometheus:) == spillway/prometheus:* ]] || return 0
  unset PROMETHEUS_IMAGE
  ! grep -qsF 'spillway/rabbitmq:' "$OVERRIDE" || {
    PROMETHEUS_IMAGE=$(stand_in prometheus)
    export PROMETHEUS_IMAGE
  }
}

# add_pages: Grafana and Jaeger, where the official images come from a registry.
add_pages() { [ -z "$OBSERVED" ] || lay_over pages; }

leave_pages_out() {
  [ -z "$OBSERVED" ] ||
    say "Without Grafana and Jaeger, which have no stand-ins: they need an image registry. Prometheus and its alerts are there."
}

# promtool ARGUMENTS...: the tool in the image of Prometheus, on the files of deploy/observe.
promtool() {
  docker run --rm --network none --entrypoint promtool --volume "$ROOT/deploy/observe:/etc/prometheus:ro" \
    --workdir /etc/prometheus "$(prometheus_image)" "$@"
}

prometheus_image() {
  compose --file "$ROOT/docker-compose.yml" --file "$ROOT/deploy/compose.observe.yml" config --images prometheus
}

# check_rules: Prometheus would take the settings, and each alert fires when it should and not otherwise.
check_rules() {
  promtool check config prometheus.yml
  promtool test rules tests.yml
}

# observer_addresses: of those that run.
observer_addresses() {
  local running entry name variable port
  running=$(services_that_are --filter status=running)
  for entry in Prometheus:PROMETHEUS_PORT:9090 Grafana:GRAFANA_PORT:3000 Jaeger:JAEGER_PORT:16686; do
    IFS=: read -r name variable port <<<"$entry"
    [[ $'\n'$running$'\n' != *$'\n'${name,,}$'\n'* ]] ||
      printf '  %-11s http://localhost:%s/\n' "$name" "$(setting "$variable" "$port")"
  done
}
