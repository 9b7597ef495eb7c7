export { connectEtcd } from './etcd';
export type { Etcd, EtcdAccess } from './etcd';
export { CUSTOM_GROUP } from './kinds';
export { CREATED_WHEN_MISSING, WRITTEN_AT_START } from './ownWrites';
export { PROTOBUF_MAGIC } from './storedObject';
