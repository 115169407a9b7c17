# shellcheck shell=bash
# Three nodes of each broker: deploy/compose.cluster.yml, laid over docker-compose.yml in a project of its own.

# What three nodes of each broker, the database and the services need together, in MiB. An estimate.
CLUSTER_MEMORY=6144

# on_stack COMMAND ARGUMENTS...: runs COMMAND, which means the cluster when --cluster is among the arguments, and the secure
# system when --secure is.
on_stack() {
  local command=$1 argument arguments=()
  shift
  ! { wants_cluster "$@" && wants_secure "$@"; } || die "--cluster and --secure do not go together yet." "Take one of them."
  for argument in "$@"; do
    case $argument in
      --cluster) use_project cluster ;;
      --secure) use_project secure ;;
      *) arguments+=("$argument") ;;
    esac
  done
  "$command" "${arguments[@]}"
}

# wants_cluster ARGUMENTS...
wants_cluster() { case " $* " in *" --cluster "*) ;; *) return 1 ;; esac }

is_cluster() { [[ $(project) == *-cluster ]]; }

# check_memory: too little is an error of its own, before anything is built. Nodes that run have theirs already.
check_memory() {
  is_cluster && [ -z "$(services_that_are --filter status=running)" ] || return 0
  local there
  there=$(free_memory)
  [ "$there" -ge $CLUSTER_MEMORY ] ||
    die "a cluster needs about $((CLUSTER_MEMORY / 1024)) GiB of free memory (an estimate), and there are $there MiB." \
      "Stop something else, or do without the cluster: one node of each broker needs far less."
}

# In MiB. An engine in a virtual machine tells only what it has in all.
free_memory() {
  local bytes
  awk '/^MemAvailable:/ { print int($2 / 1024); found = 1 } END { exit !found }' /proc/meminfo 2>/dev/null && return 0
  bytes=$(docker info --format '{{.MemTotal}}')
  echo $((bytes / 1024 / 1024))
}

# The generated override names images for services of docker-compose.yml only. All nodes of a broker run what its
# first one runs.
name_images_of_nodes() {
  is_cluster || return 0
  export RABBITMQ_IMAGE KAFKA_IMAGE
  RABBITMQ_IMAGE=$(compose config --images rabbitmq)
  KAFKA_IMAGE=$(compose config --images kafka)
}
