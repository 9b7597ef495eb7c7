import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What of a Pod the lab's kubelet looks at. */
export interface StaticPod {
  uid: string;
  name: string;
  namespace: string;
  file: string;
  gracePeriodSeconds: number;
  containers: Array<{
    name: string;
    image: string;
    command: string[];
    environment: Record<string, string>;
    /** Numbers; root where there are none. */
    user?: number;
    group?: number;
  }>;
  /** Directories and files that are to be made where they are missing. */
  hostPaths: Array<{ path: string; type: string }>;
}

export interface ManifestListing {
  pods: StaticPod[];
  /** Files that are there and are no Pod, which a file half written is. */
  unreadable: string[];
}

/**
 * Reads a manifests folder by the kubelet's rules: every regular file whose name does not begin with a dot,
 * whatever it ends in; of two pods of one name the first in the order of file names.
 */
export function readStaticPods(
  folder: string,
  nodeName: string,
): ManifestListing {
  const pods = new Map<string, StaticPod>();
  const unreadable: string[] = [];
  const files = readdirSync(folder)
    .filter(name => !name.startsWith('.'))
    .sort();
  for (const file of files) {
    const path = join(folder, file);
    try {
      if (!statSync(path).isFile()) continue;
      const pod = toStaticPod(path, readFileSync(path, 'utf8'), nodeName);
      const fullName = `${pod.namespace}/${pod.name}`;
      if (!pods.has(fullName)) pods.set(fullName, pod);
    } catch {
      unreadable.push(path);
    }
  }
  return { pods: [...pods.values()], unreadable };
}

function toStaticPod(path: string, text: string, nodeName: string): StaticPod {
  const content = parse(text);
  if (content?.kind !== 'Pod' || !content.metadata?.name || !content.spec) {
    throw new Error(`${path} is no Pod`);
  }
  // As in the kubelet, the UID follows the content, the machine and the file.
  const uid = createHash('md5')
    .update(JSON.stringify(content))
    .update(`host:${nodeName}`)
    .update(`file:${path}`)
    .digest('hex');
  const { runAsUser, runAsGroup } = content.spec.securityContext ?? {};
  return {
    uid,
    name: `${content.metadata.name}-${nodeName}`,
    namespace: content.metadata.namespace ?? 'default',
    file: path,
    gracePeriodSeconds: content.spec.terminationGracePeriodSeconds ?? 30,
    containers: content.spec.containers.map((container: any) => ({
      name: String(container.name),
      image: String(container.image),
      command: [...(container.command ?? []), ...(container.args ?? [])].map(
        String,
      ),
      environment: Object.fromEntries(
        (container.env ?? []).map((entry: any) => [
          entry.name,
          String(entry.value ?? ''),
        ]),
      ),
      user: container.securityContext?.runAsUser ?? runAsUser,
      group: container.securityContext?.runAsGroup ?? runAsGroup,
    })),
    hostPaths: (content.spec.volumes ?? [])
      .filter((volume: any) => volume.hostPath?.type)
      .map((volume: any) => volume.hostPath),
  };
}
