export * from './ClusterAccess';
export * from './connectCluster';
export * from './targetOf';
