import { Check, ofEach, reached } from './Check';

/** `1.31` of `Kubernetes v1.31.4`, as numbers. */
function minorIn(text: string): [number, number] | undefined {
  const match = /v?(\d+)\.(\d+)\.\d+/.exec(text);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/**
 * A kubelet may be older than its API server, never newer (Kubernetes, "Version Skew Policy"). Before a restore the
 * nodes are those of after it.
 */
export const kubeletVersions: Check = {
  id: 'kubelet-versions',
  title: 'No kubelet is newer than the API servers',
  run(subject) {
    const { nodes, cluster, signal, purpose } = subject;
    const versions = nodes
      .map(({ kubernetesVersion }) => kubernetesVersion)
      .filter(version => version !== undefined)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const [oldest] = versions;
    const limit = minorIn(oldest ?? '');
    if (!limit) return Promise.resolve([]);
    return ofEach(
      reached(subject),
      () => 'reservation',
      this.id,
      async machine => {
        const { stdout } = await machine.run(
          ['sh', '-c', 'kubelet --version 2>/dev/null || true'],
          { signal },
        );
        const found = minorIn(stdout);
        if (!found) return [];
        const isNewer =
          found[0] > limit[0] || (found[0] === limit[0] && found[1] > limit[1]);
        if (!isNewer) return [];
        const isControlPlane = cluster.access.controlPlane.some(
          ({ name }) => name === machine.name,
        );
        return [
          {
            check: this.id,
            // A worker is not waited for, and can be brought back by hand.
            level:
              purpose === 'restore' && isControlPlane
                ? ('refusal' as const)
                : ('reservation' as const),
            code: 'kubelet-newer',
            machine: machine.name,
            message: `The kubelet of ${machine.name} is ${found.join(
              '.',
            )}; the API servers ${
              purpose === 'restore' ? 'will be' : 'are'
            } ${oldest}.`,
            remedy: `Install a kubelet of ${limit.join('.')} on ${
              machine.name
            }, or upgrade the control plane first.`,
          },
        ];
      },
    );
  },
};
