import { Check, ofEach } from './Check';

const MINUTE = 60_000;

/** Manifests that are put back name images of their day: what is not there is pulled before anything stops. */
export const images: Check = {
  id: 'images',
  title: 'The images of manifests that are put back are on the nodes',
  run({ nodes, signal }) {
    return ofEach(
      nodes
        .filter(({ filesBack }) => filesBack)
        .map(node => ({ name: node.machine.name, node })),
      () => 'refusal',
      this.id,
      async ({ node: { machine, images: wanted } }) => {
        const { stdout } = await machine.run(
          [
            'sh',
            '-c',
            `for image; do
  crictl inspecti -q "$image" >/dev/null 2>&1 || crictl pull "$image" >/dev/null 2>&1 || echo "$image"
done`,
            'sh',
            ...wanted,
          ],
          { timeoutMs: 10 * MINUTE, signal },
        );
        return stdout
          .split('\n')
          .filter(Boolean)
          .map(image => ({
            check: this.id,
            level: 'refusal' as const,
            code: 'image-missing',
            machine: machine.name,
            message: `The archive's manifests run ${image}, which is not on ${machine.name} and cannot be pulled.`,
            remedy: `Pull it on ${machine.name}: crictl pull ${image}; or bring it there as a file: ctr -n k8s.io images import.`,
          }));
      },
    );
  },
};
