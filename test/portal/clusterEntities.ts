/** Catalog entities: the cluster as an admin cluster of the guests, and a user cluster that depends on it. */
export function clusterEntities(name: string): string {
  const cluster = (spec: object, metadata: object) => ({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Resource',
    metadata,
    spec: {
      type: 'kubernetes-cluster',
      owner: 'group:default/guests',
      ...spec,
    },
  });
  return [
    cluster(
      {},
      {
        name,
        title: `Admin cluster ${name}`,
        description: 'A control plane on this machine, reached over SSH',
      },
    ),
    cluster(
      { dependsOn: [`resource:default/${name}`] },
      {
        name: `${name}-shop`,
        title: `User cluster ${name}-shop`,
        description: `A user cluster that ${name} manages`,
      },
    ),
  ]
    .map(entity => JSON.stringify(entity, null, 2))
    .join('\n---\n');
}
