import { readCertificate } from '../pki';
import { readFiles } from '../layout';
import { Check, ofEach } from './Check';

const SOON_DAYS = 30;

export const certificates: Check = {
  id: 'certificates',
  title: 'No certificate has expired',
  run({ nodes, signal }) {
    return ofEach(
      nodes.map(node => ({ name: node.machine.name, node })),
      () => 'reservation',
      this.id,
      async ({ node, name }) => {
        const paths = node.capture.filter(path => path.endsWith('.crt'));
        const files = await readFiles(node.machine, paths, signal);
        return paths.flatMap(path => {
          const file = files.get(path);
          if (!file) return [];
          const { notAfter } = readCertificate(file);
          const days = (notAfter.getTime() - Date.now()) / 86_400_000;
          if (days > SOON_DAYS) return [];
          return [
            {
              check: this.id,
              level: 'reservation' as const,
              code: days < 0 ? 'certificate-expired' : 'certificate-expiring',
              machine: name,
              message: `${path} on ${name} ${
                days < 0 ? 'expired' : 'expires'
              } on ${notAfter.toISOString().slice(0, 10)}.`,
              remedy: `Renew it on ${name}: kubeadm certs renew all, then restart the static pods.`,
            },
          ];
        });
      },
    );
  },
};
