import {
  ChannelCredentials,
  Client,
  ClientDuplexStream,
  credentials,
  status,
} from '@grpc/grpc-js';
import { compileMessages, decode, encode, Message } from './codec';

// From etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto, 3.5.
const rpc = compileMessages({
  Header: { revision: '3 int64=' },
  KeyValue: {
    key: '1 raw=',
    createRevision: '2 int64=',
    modRevision: '3 int64=',
    version: '4 int64=',
    value: '5 raw=',
    lease: '6 id',
  },
  RangeRequest: {
    key: '1 raw',
    rangeEnd: '2 raw',
    limit: '3 int64',
    revision: '4 int64',
    serializable: '7 bool',
    keysOnly: '8 bool',
    countOnly: '9 bool',
  },
  RangeResponse: {
    header: '1 Header=',
    kvs: '2 KeyValue[]=',
    more: '3 bool=',
    count: '4 int64=',
  },
  PutRequest: { key: '1 raw', value: '2 raw', lease: '3 id' },
  DeleteRangeRequest: { key: '1 raw', rangeEnd: '2 raw' },
  RequestOp: {
    range: '1 RangeRequest',
    put: '2 PutRequest',
    deleteRange: '3 DeleteRangeRequest',
  },
  ResponseOp: { range: '1 RangeResponse' },
  Compare: {
    result: '1 int32',
    target: '2 int32',
    key: '3 raw',
    createRevision: '5 int64',
    modRevision: '6 int64',
  },
  TxnRequest: {
    compare: '1 Compare[]',
    success: '2 RequestOp[]',
    failure: '3 RequestOp[]',
  },
  TxnResponse: {
    header: '1 Header=',
    succeeded: '2 bool=',
    responses: '3 ResponseOp[]=',
  },
  CompactionRequest: { revision: '1 int64', physical: '2 bool' },
  WatchRequest: {
    create: '1 WatchCreateRequest',
    progress: '3 Nothing',
  },
  WatchCreateRequest: {
    key: '1 raw',
    rangeEnd: '2 raw',
    startRevision: '3 int64',
    prevKv: '6 bool',
  },
  WatchResponse: {
    header: '1 Header=',
    created: '3 bool=',
    canceled: '4 bool=',
    compactRevision: '5 int64=',
    cancelReason: '6 string=',
    events: '11 Event[]=',
  },
  Event: { type: '1 int32=', kv: '2 KeyValue', prevKv: '3 KeyValue' },
  LeaseGrantRequest: { ttl: '1 int64' },
  LeaseGrantResponse: { id: '2 id' },
  StatusResponse: {
    header: '1 Header=',
    version: '2 string=',
    dbSize: '3 int64=',
    dbSizeInUse: '9 int64=',
  },
  Nothing: {},
});

/** How to reach one etcd; without certificates the connection is in clear. */
export interface EtcdAccess {
  /** `https://HOST:PORT`, `http://HOST:PORT` or `unix:PATH` */
  endpoint: string;
  /** PEM */
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

export interface KeyValue {
  key: Buffer;
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
  /** of a key that goes with its lease */
  lease?: string;
}

export interface RangeResponse {
  header: { revision: number };
  kvs: KeyValue[];
  more: boolean;
  count: number;
}

export interface Compare {
  key: Buffer;
  createRevision?: number;
  modRevision?: number;
  /** 0 equal, 1 greater */
  result: 0 | 1;
}

export interface Operation {
  range?: { key: Buffer };
  put?: { key: Buffer; value: Buffer; lease?: string };
  deleteRange?: { key: Buffer; rangeEnd?: Buffer };
}

export interface TxnResponse {
  header: { revision: number };
  succeeded: boolean;
  responses: Array<{ range?: RangeResponse }>;
}

export interface WatchResponse {
  header: { revision: number };
  created: boolean;
  canceled: boolean;
  /** not 0 when the asked revision is compacted */
  compactRevision: number;
  cancelReason: string;
  events: Array<{ type: number; kv: KeyValue; prevKv?: KeyValue }>;
}

export interface EtcdWatch {
  responses: AsyncIterable<WatchResponse>;
  /** asks for an answer without events that tells how far the watch is */
  requestProgress(): void;
  cancel(): void;
}

export interface Etcd {
  range(request: {
    key: Buffer;
    rangeEnd?: Buffer;
    limit?: number;
    revision?: number;
    serializable?: boolean;
    keysOnly?: boolean;
    countOnly?: boolean;
    timeoutMs?: number;
  }): Promise<RangeResponse>;
  txn(request: {
    compare?: Compare[];
    success?: Operation[];
    failure?: Operation[];
    timeoutMs?: number;
  }): Promise<TxnResponse>;
  watch(request: {
    key: Buffer;
    rangeEnd?: Buffer;
    startRevision: number;
  }): EtcdWatch;
  leaseGrant(seconds: number): Promise<string>;
  compact(revision: number, physical?: boolean): Promise<void>;
  status(): Promise<{ version: string; dbSize: number; dbSizeInUse: number }>;
  close(): void;
}

/** The end of the range of all keys that start with `prefix`. */
export function prefixEnd(prefix: string | Buffer): Buffer {
  const end = Buffer.from(prefix as string);
  end[end.length - 1] += 1;
  return end;
}

/** True when etcd says that the asked revision is gone. */
export function isCompacted(error: any): boolean {
  return (
    error?.code === status.OUT_OF_RANGE && /compacted/.test(error.details ?? '')
  );
}

/** True when etcd says that it has not come to the asked revision. */
export function isFutureRevision(error: any): boolean {
  return (
    error?.code === status.OUT_OF_RANGE && /future/.test(error.details ?? '')
  );
}

/** True when the lease given with a put is gone. */
export function isLeaseGone(error: any): boolean {
  return error?.code === status.NOT_FOUND;
}

const target = { createRevision: 1, modRevision: 2 };

function compareMessage(compare: Compare) {
  return {
    ...compare,
    target:
      compare.createRevision === undefined
        ? target.modRevision
        : target.createRevision,
  };
}

function channelCredentials(access: EtcdAccess): ChannelCredentials {
  return access.ca
    ? credentials.createSsl(access.ca, access.key, access.cert)
    : credentials.createInsecure();
}

/** Opens a connection that comes back by itself when etcd does. */
export function connectEtcd(access: EtcdAccess): Etcd {
  const address = access.endpoint.replace(/^https?:\/\//, '');
  const client = new Client(address, channelCredentials(access), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': 4 << 20,
    // TLS wants a name and may not be given an IP address for it
    ...(access.ca && /^[\d.]+:\d+$/.test(address)
      ? {
          'grpc.ssl_target_name_override': 'localhost',
          'grpc.default_authority': 'localhost',
        }
      : {}),
  });

  function call(
    path: string,
    request: [Message, object],
    answer: Message,
    timeoutMs = 5_000,
  ): Promise<any> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/etcdserverpb.${path}`,
        (object: object) => encode(request[0], object),
        content => decode(answer, content),
        request[1],
        { deadline: Date.now() + timeoutMs },
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
  }

  return {
    range: ({ timeoutMs, ...request }) =>
      call(
        'KV/Range',
        [rpc.RangeRequest, request],
        rpc.RangeResponse,
        timeoutMs,
      ),
    txn: ({ timeoutMs, compare = [], ...request }) =>
      call(
        'KV/Txn',
        [rpc.TxnRequest, { ...request, compare: compare.map(compareMessage) }],
        rpc.TxnResponse,
        timeoutMs,
      ),
    watch(request) {
      const stream: ClientDuplexStream<object, WatchResponse> =
        client.makeBidiStreamRequest(
          '/etcdserverpb.Watch/Watch',
          (object: object) => encode(rpc.WatchRequest, object),
          content => decode(rpc.WatchResponse, content),
        );
      // a cancelled stream reports that as an error, also after the reader left
      stream.on('error', () => {});
      stream.write({ create: { ...request, prevKv: true } });
      return {
        responses: stream,
        requestProgress: () => stream.write({ progress: {} }),
        cancel: () => stream.cancel(),
      };
    },
    leaseGrant: async seconds => {
      const granted = await call(
        'Lease/LeaseGrant',
        [rpc.LeaseGrantRequest, { ttl: seconds }],
        rpc.LeaseGrantResponse,
      );
      return granted.id;
    },
    compact: (revision, physical = false) =>
      call(
        'KV/Compact',
        [rpc.CompactionRequest, { revision, physical }],
        rpc.Nothing,
        600_000,
      ),
    status: () =>
      call('Maintenance/Status', [rpc.Nothing, {}], rpc.StatusResponse),
    close: () => client.close(),
  };
}
