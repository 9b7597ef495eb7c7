#!/usr/bin/env bash
# A restore by hand, the nodes side by side where that is safe; etcdutl lies in /root of every node beforehand:
# operator-restore.sh SSH_CONFIG ARCHIVE IDENTITY WORK NAME=PEER_URL...
set -euo pipefail
config=$1 archive=$2 identity=$3 work=$4
shift 4
members=$(IFS=, && echo "$*")

# Runs a script on every node at once; $1 is the node's name, $2 its peer URL, $3 all members.
everywhere() {
  local pids=() pid member
  for member; do
    ssh -F "$config" "${member%%=*}" "set -eu; set -- ${member%%=*} ${member#*=} $members; $script" >&2 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

age -d -i "$identity" "$archive" | tar xzf - -C "$work" snapshot.db

copies=()
for member; do
  scp -q -F "$config" "$work/snapshot.db" "${member%%=*}:/var/lib/snapshot.db" &
  copies+=($!)
done
for copy in "${copies[@]}"; do wait "$copy"; done

script='
  mkdir -p /etc/kubernetes/parked
  mv /etc/kubernetes/manifests/*.yaml /etc/kubernetes/parked/
  while [ -n "$(crictl ps -q)" ]; do sleep 0.2; done' everywhere "$@"

script='
  /root/etcdutl snapshot restore /var/lib/snapshot.db --data-dir /var/lib/etcd-restored --name $1 \
    --initial-advertise-peer-urls $2 --initial-cluster $3 \
    --bump-revision 1000000000 --mark-compacted >/dev/null 2>&1
  mv /var/lib/etcd /var/lib/etcd-before
  mv /var/lib/etcd-restored /var/lib/etcd
  rm /var/lib/snapshot.db' everywhere "$@"

script='
  mv /etc/kubernetes/parked/*.yaml /etc/kubernetes/manifests/
  until curl -sfk https://127.0.0.1:6443/readyz >/dev/null; do sleep 0.2; done' everywhere "$@"
