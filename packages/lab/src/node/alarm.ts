import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const PKI = '/etc/kubernetes/pki/etcd';

/** Raises an alarm through etcd's JSON gateway; etcdctl can only list and disarm them. */
export function raiseAlarm(alarm: string, memberId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request(
      'https://127.0.0.1:2379/v3/maintenance/alarm',
      {
        method: 'POST',
        ca: readFileSync(`${PKI}/ca.crt`),
        cert: readFileSync(`${PKI}/server.crt`),
        key: readFileSync(`${PKI}/server.key`),
        timeout: 5000,
      },
      response => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`etcd answered ${response.statusCode}`));
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('timed out')));
    asking.on('error', reject);
    asking.end(
      JSON.stringify({ action: 'ACTIVATE', memberID: memberId, alarm }),
    );
  });
}
