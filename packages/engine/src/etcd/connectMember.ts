import { Etcd3, ICallable, IHashKVResponse, IOptions } from 'etcd3';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { wipeFiles } from '../layout/readFiles';
import { readClientCertificate } from './clientCertificate';
import { EtcdMember, MemberAlarm } from './EtcdMember';
import { memberError } from './memberError';
import { Http2SnapshotCall, SnapshotCall } from './snapshotCall';
import { openSnapshotStream } from './snapshotStream';
import { openTunnel } from './tunnel';

const CALL_MS = 10_000;
/** Hashing reads the whole store. */
const HASH_MS = 120_000;
const WINDOW = 16 << 20;
const BLOCK = 512 << 10;

type FaultHandling = NonNullable<IOptions['faultHandling']>;
type Policy = NonNullable<FaultHandling['global']>;

/** With etcd3's own policies a breaker's error takes the place of the cause, and calls are sent again. */
const once = {
  onSuccess: () => ({ dispose() {} }),
  onFailure: () => ({ dispose() {} }),
  execute: async (call: (context: { signal: AbortSignal }) => unknown) =>
    call({ signal: new AbortController().signal }),
} as unknown as Policy;

const within = (ms: number) => ({ deadline: Date.now() + ms });

function prefixEnd(prefix: Buffer): Buffer {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if (prefix[i] < 0xff) {
      const end = Buffer.from(prefix.subarray(0, i + 1));
      end[i]++;
      return end;
    }
  }
  return Buffer.from([0]);
}

/**
 * Connects to the etcd member of a node, through the machine, with the node's own client certificate.
 *
 * @throws ClusterBackupError `etcd-certificate-missing`, `etcd-certificate-expired`, and those of the machine; its
 * calls end with `etcd-unreachable`, `etcd-certificate-refused`, `etcd-no-quorum` or `etcd-call-failed`, a snapshot
 * also with `etcd-snapshot-stalled`, `etcd-snapshot-cut` or `etcd-snapshot-corrupt`
 * @public
 */
export async function connectMember(
  node: ControlPlaneNode,
  options: { signal: AbortSignal },
): Promise<EtcdMember> {
  const { machine, etcd } = node;
  const all = await readClientCertificate(node, options.signal);
  const { serverName, ...credentials } = all;
  const url = new URL(etcd.clientUrl);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 2379);
  const forget = () => wipeFiles([credentials.privateKey]);
  const tunnel = await openTunnel(machine, host, port).catch(error => {
    forget();
    throw error;
  });
  const client = new Etcd3({
    hosts: tunnel.target,
    credentials,
    grpcOptions: {
      'grpc.ssl_target_name_override': serverName,
      'grpc.default_authority': serverName,
      'grpc-node.flow_control_window': WINDOW,
      'grpc.max_receive_message_length': 64 << 20,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
    },
    faultHandling: { host: () => once, global: once },
  });
  const snapshots = new Set<SnapshotCall>();
  const explain = (call: string, broken?: Error) => (error: unknown) =>
    memberError(
      etcd.name,
      machine.name,
      call,
      error,
      machine.lost.aborted ? machine.lost.reason : broken ?? tunnel.lastError(),
    );
  const ask = async <T>(call: string, run: () => Promise<T>): Promise<T> => {
    options.signal.throwIfAborted();
    try {
      return await run();
    } catch (error) {
      options.signal.throwIfAborted();
      throw explain(call)(error);
    }
  };
  const { maintenance, cluster, kv } = client;
  // etcd3's own hashKV() asks grpc-js for a method under a name that it does not have.
  const { client: calls } = maintenance as unknown as {
    client: ICallable<unknown>;
  };
  let closing: Promise<void> | undefined;

  return {
    name: etcd.name,
    status: () =>
      ask('Status', async () => {
        const answer = await maintenance.status(within(CALL_MS));
        return {
          memberId: answer.header.member_id,
          clusterId: answer.header.cluster_id,
          version: answer.version,
          dbSize: Number(answer.dbSize),
          revision: Number(answer.header.revision),
          raftIndex: Number(answer.raftIndex),
          raftAppliedIndex: Number(answer.raftAppliedIndex),
          raftTerm: Number(answer.raftTerm),
          leader: answer.leader,
          isLearner: answer.isLearner,
          errors: answer.errors ?? [],
        };
      }),
    members: () =>
      ask('MemberList', async () => {
        const { members } = await cluster.memberList(
          { linearizable: false },
          within(CALL_MS),
        );
        return members.map(member => ({
          memberId: member.ID,
          name: member.name,
          peerUrls: member.peerURLs,
          clientUrls: member.clientURLs ?? [],
          isLearner: member.isLearner,
        }));
      }),
    hashKV: (revision = 0) =>
      ask('HashKV', async () => {
        const answer = await calls.exec<IHashKVResponse>(
          'Maintenance',
          'HashKV',
          { revision },
          within(HASH_MS),
        );
        return {
          hash: String(answer.hash),
          revision: revision || Number(answer.header.revision),
          compactRevision: Number(answer.compact_revision),
        };
      }),
    alarms: () =>
      ask('Alarm', async () => {
        const { alarms } = await maintenance.alarm(
          { action: 'Get' },
          within(CALL_MS),
        );
        return alarms.map(({ memberID, alarm }) => ({
          memberId: memberID,
          alarm: String(alarm).toUpperCase() as MemberAlarm['alarm'],
        }));
      }),
    disarm: ({ memberId, alarm }) =>
      ask('Alarm', async () => {
        await maintenance.alarm(
          {
            action: 'Deactivate',
            memberID: memberId,
            alarm: alarm === 'NOSPACE' ? 'Nospace' : 'Corrupt',
          },
          within(CALL_MS),
        );
      }),
    linearizableRead: () =>
      ask('Range', async () => {
        const { header } = await kv.range(
          { key: Buffer.from('\0'), limit: 1, serializable: false },
          within(CALL_MS),
        );
        return Number(header.revision);
      }),
    range: (prefix, { limit = 0, revision = 0, keysOnly = false } = {}) =>
      ask('Range', async () => {
        const key = Buffer.from(prefix);
        const { kvs } = await kv.range(
          {
            key,
            range_end: prefixEnd(key),
            limit,
            revision,
            keys_only: keysOnly,
            serializable: true,
          },
          within(CALL_MS),
        );
        return kvs.map(found => ({
          key: found.key,
          value: found.value,
          createRevision: Number(found.create_revision),
          modRevision: Number(found.mod_revision),
          version: Number(found.version),
        }));
      }),
    snapshot: (signal, takeBlock = () => Buffer.allocUnsafeSlow(BLOCK)) =>
      ask('Snapshot', async () => {
        const connection = await machine.dial(host, port);
        let broken: Error | undefined;
        connection.on('error', error => {
          broken = error;
        });
        const call = new Http2SnapshotCall(connection, all, WINDOW);
        snapshots.add(call);
        connection.on('close', () => snapshots.delete(call));
        return openSnapshotStream(
          {
            member: etcd.name,
            machine: machine.name,
            call,
            takeBlock,
            explain: error => explain('Snapshot', broken)(error),
          },
          AbortSignal.any([signal, options.signal, machine.lost]),
        );
      }),
    close() {
      closing ??= (async () => {
        snapshots.forEach(call => call.cancel());
        client.close();
        forget();
        await tunnel.close();
      })();
      return closing;
    },
  };
}
