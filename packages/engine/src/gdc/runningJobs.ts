import { KubernetesObject } from './GdcCluster';

/** GDC's own jobs in a cluster's namespace that are at work on its machines, over SSH. */
export async function runningJobs(
  found: <T>(path: string) => Promise<T | undefined>,
  namespace: string,
): Promise<string[]> {
  const jobs = await found<{ items: KubernetesObject[] }>(
    `/apis/batch/v1/namespaces/${namespace}/jobs`,
  );
  return (jobs?.items ?? [])
    .filter(
      ({ metadata, status }) =>
        metadata.name.startsWith('bm-system-') && Boolean(status?.active),
    )
    .map(({ metadata }) => metadata.name);
}
