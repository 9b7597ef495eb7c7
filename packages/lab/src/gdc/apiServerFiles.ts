import { stringify } from 'yaml';
import { Mount } from '../kubeadm/plan';

const ENCRYPTION = '/etc/kubernetes/encryption';
const AUDIT = '/etc/kubernetes/audit';
const ADMISSION = '/etc/kubernetes/admission';

/** Flags that name files which kubeadm's own layout does not have. */
export const apiServerFileFlags = [
  `--admission-control-config-file=${ADMISSION}/config.yaml`,
  `--audit-policy-file=${AUDIT}/policy.yaml`,
  `--encryption-provider-config=${ENCRYPTION}/config.yaml`,
];

export const apiServerFileMounts: Mount[] = [
  { name: 'admission', path: ADMISSION, type: 'DirectoryOrCreate' },
  { name: 'audit', path: AUDIT, type: 'DirectoryOrCreate' },
  { name: 'encryption', path: ENCRYPTION, type: 'DirectoryOrCreate' },
];

/** @param encryptionKey - base64, of 32 bytes; the same on all nodes of a cluster */
export function apiServerFiles(encryptionKey: string): Record<string, string> {
  return {
    [`${ENCRYPTION}/config.yaml`]: stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [
        {
          resources: ['secrets'],
          providers: [
            { aescbc: { keys: [{ name: 'key1', secret: encryptionKey }] } },
            { identity: {} },
          ],
        },
      ],
    }),
    [`${AUDIT}/policy.yaml`]: stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata' }],
    }),
    [`${ADMISSION}/config.yaml`]: stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AdmissionConfiguration',
      plugins: [
        { name: 'EventRateLimit', path: `${ADMISSION}/event-rate-limit.yaml` },
      ],
    }),
    [`${ADMISSION}/event-rate-limit.yaml`]: stringify({
      apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
      kind: 'Configuration',
      limits: [{ type: 'Server', qps: 5000, burst: 20000 }],
    }),
  };
}
