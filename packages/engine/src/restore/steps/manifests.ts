import { ClusterBackupError } from '../../errors';
import { change } from '../journal';
import { Attempting, StepNode } from '../Step';

/** How long a static pod may take to go: kubeadm's pods have a grace of 30 s, the kubelet looks every 20 s. */
const GONE_WITHIN_SECONDS = 120;
const STILL_THERE = 76;

/**
 * Takes manifests out of the folder that the kubelet watches, which is how a static pod is stopped. A file renamed
 * inside the folder would go on running, whatever its ending.
 */
export const parkManifests = moving(`parked=$1
shift
mkdir -p "$parked"
for manifest; do
  if [ -e "$manifest" ]; then mv -f "$manifest" "$parked/"; sync "$(dirname "$manifest")" "$parked"; fi
done`);

/** Puts parked manifests back; the kubelet starts their pods. */
export const returnManifests = moving(`parked=$1
shift
for manifest; do
  waiting=$parked/$(basename "$manifest")
  if [ -e "$waiting" ]; then mv -f "$waiting" "$manifest"; sync "$(dirname "$manifest")" "$parked"; fi
done
rmdir "$parked" 2>/dev/null || true`);

/** Arguments of the script are the folder of parked manifests and the paths that manifests have when their pods run. */
function moving(script: string) {
  return async (
    { attempt, signal }: Attempting,
    { machine, plan }: StepNode,
    step: string,
    manifests: string[],
  ) => {
    const paths = [plan.parked, ...manifests];
    await change(machine, attempt, step, script, paths, { signal });
  };
}

/**
 * Waits until static pods are really gone and their ports closed: moving a manifest only asks the kubelet. Pods are told
 * by their own names where the node's is known: another pod, such as `etcd-events`, may have a container of that name.
 *
 * @throws ClusterBackupError `pods-still-running`
 */
export async function awaitGone(
  { signal }: Attempting,
  { machine, plan }: StepNode,
  pods: string[],
  ports: number[],
) {
  const labels = pods.map(name =>
    plan.nodeName
      ? `io.kubernetes.pod.name=${name}-${plan.nodeName}`
      : `io.kubernetes.container.name=${name}`,
  );
  const result = await machine.run(
    [
      'sh',
      '-c',
      `set -eu
deadline=$(($(date +%s) + $1))
while :; do
  left=
  for port in $3; do
    if [ -n "$(ss -ltnH "sport = :$port")" ]; then left="$left port $port,"; fi
  done
  if [ -z "$left" ] || [ "$4" = orphaned ]; then # the runtime is asked, which costs more, when the ports are closed
    for label in $2; do
      running=$(crictl ps -q --label "$label")
      if [ -n "$running" ]; then
        left="$left container \${label#*=},"
        if [ "$4" = orphaned ] && ! systemctl is-active kubelet >/dev/null; then
          crictl stop --timeout 30 $running >/dev/null || true
        fi
      fi
    done
  fi
  if [ -z "$left" ]; then exit 0; fi
  if [ "$(date +%s)" -ge "$deadline" ]; then echo "$left"; exit ${STILL_THERE}; fi
  sleep 0.1
done`,
      'cluster-backup',
      String(GONE_WITHIN_SECONDS),
      labels.join(' '),
      ports.join(' '),
      // Where the kubelet has lost its configuration nobody else stops what no manifest asks for any more.
      plan.filesBack?.kubelet ? 'orphaned' : '',
    ],
    {
      accept: [0, STILL_THERE],
      timeoutMs: (GONE_WITHIN_SECONDS + 30) * 1000,
      signal,
    },
  );
  if (result.code === 0) return;
  const left = result.stdout.trim().replace(/,$/, '');
  throw new ClusterBackupError({
    code: 'pods-still-running',
    message: `On ${machine.name} these are still there ${GONE_WITHIN_SECONDS} seconds after their manifests were taken away: ${left}.`,
    state: 'The manifests are parked; the data is as it was.',
    remedy: `Look at the kubelet and the container runtime of ${machine.name} (systemctl status kubelet, crictl ps).`,
    details: { machine: machine.name, left },
  });
}
