import { targetOf } from './targetOf';

const pinned = ['SHA256:b', 'SHA256:a'];
const machine = (name: string) => ({
  name,
  address: `${name}.example.com`,
  user: 'root',
  privateKey: 'a secret',
  passphrase: 'another',
  hostKeys: { mode: 'strict' as const, pinned },
});

it('says what a restore would be done to, and nothing that opens it', () => {
  const target = targetOf({
    name: 'production',
    layout: 'kubeadm',
    controlPlane: [{ ...machine('cp-1'), port: 2222, jump: machine('gate') }],
    workers: [
      { ...machine('w-1'), hostKeys: { mode: 'trust-on-first-use' as const } },
    ],
  });
  const hostKeys = ['SHA256:a', 'SHA256:b'];
  expect(target).toEqual({
    name: 'production',
    layout: 'kubeadm',
    machines: [
      {
        name: 'cp-1',
        role: 'control-plane',
        login: 'root@cp-1.example.com:2222',
        hostKeys,
      },
      {
        name: 'gate',
        role: 'jump',
        login: 'root@gate.example.com:22',
        hostKeys,
      },
      {
        name: 'w-1',
        role: 'worker',
        login: 'root@w-1.example.com:22',
        hostKeys: [],
      },
    ],
  });
  expect(JSON.stringify(target)).not.toMatch(/secret|another/);
});
