export * from './ClusterAccess';
export * from './connectCluster';
