import { stringify } from 'yaml';
import { Certified } from './certificate';

/** A kubeconfig as kubeadm writes it: one cluster, one user, one context, everything embedded. */
export function kubeconfig(options: {
  server: string;
  ca: string;
  user: string;
  credentials: Certified | { certificateFile: string; keyFile: string };
}): string {
  const { server, ca, user, credentials } = options;
  const context = `${user}@kubernetes`;
  return stringify({
    apiVersion: 'v1',
    clusters: [
      {
        cluster: { 'certificate-authority-data': base64(ca), server },
        name: 'kubernetes',
      },
    ],
    contexts: [{ context: { cluster: 'kubernetes', user }, name: context }],
    'current-context': context,
    kind: 'Config',
    preferences: {},
    users: [
      {
        name: user,
        user:
          'key' in credentials
            ? {
                'client-certificate-data': base64(credentials.certificate),
                'client-key-data': base64(credentials.key),
              }
            : {
                'client-certificate': credentials.certificateFile,
                'client-key': credentials.keyFile,
              },
      },
    ],
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
