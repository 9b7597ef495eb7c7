#!/usr/bin/env bash
# A backup as an operator types it, with what every Linux has:
# operator-backup.sh SSH_CONFIG NODE LOCAL_PORT WORK RECIPIENT ARCHIVE COMPRESSOR [ARGUMENT ...]
set -euo pipefail
config=$1 node=$2 port=$3 work=$4 recipient=$5 archive=$6
shift 6

ssh -F "$config" -o ExitOnForwardFailure=yes -N -L "$port:127.0.0.1:2379" "$node" &
tunnel=$!
trap 'kill $tunnel; wait $tunnel || true' EXIT

mkdir "$work/files"
ssh -F "$config" "$node" 'cd / && tar cf - etc/kubernetes var/lib/kubelet/config.yaml var/lib/kubelet/kubeadm-flags.env var/lib/kubelet/pki' |
  tar xf - -C "$work/files"
until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.02; done

pki=$work/files/etc/kubernetes/pki/etcd
etcdctl --endpoints "https://127.0.0.1:$port" --cacert "$pki/ca.crt" \
  --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key" snapshot save "$work/snapshot.db" >&2

tar cf - -C "$work" files snapshot.db | "$@" | age -r "$recipient" >"$archive"
sync "$archive"
