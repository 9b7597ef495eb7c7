import { refuseInvalidAddress } from './address';
import { connectMachine } from './connectMachine';
import { MachineAccess } from './Machine';

const machine = (more: object): MachineAccess => ({
  name: 'cp1',
  address: '192.0.2.1',
  user: 'root',
  privateKey: 'none',
  hostKeys: { mode: 'strict' },
  ...more,
});

it.each([
  { address: '10.0.0.1' },
  { address: 'fe80::1%eth0' },
  { address: '2001:db8::1', port: 2222 },
  { address: 'cp-1.example.com.' },
  { address: 'cp_1', user: 'domain\\ops' },
  { address: `${'a'.repeat(63)}.example`, user: 'ops@example.com' },
  { user: 'machine$' },
])('takes %j', more => {
  expect(() => refuseInvalidAddress(machine(more))).not.toThrow();
});

it.each([
  ['an option', { address: '-oProxyCommand=id' }],
  ['a shell fragment', { address: '$(id)' }],
  ['two commands', { address: '192.0.2.1;id' }],
  ['two lines', { address: '192.0.2.1\nhost' }],
  ['two words', { address: 'a b' }],
  ['a URL', { address: 'http://192.0.2.1' }],
  ['a user in the address', { address: 'root@192.0.2.1' }],
  ['a pattern', { address: '*.example.com' }],
  ['nothing', { address: '' }],
  ['a number', { address: 5 }],
  ['a long label', { address: 'a'.repeat(64) }],
  ['a long name', { address: 'a.'.repeat(127) }],
  ['a path as a port', { port: '/tmp/socket' }],
  ['a port beyond', { port: 65536 }],
  ['an option as a user', { user: '-oProxyCommand=id' }],
  ['a command as a user', { user: 'root;id' }],
  ['no user', { user: '' }],
])('contacts nobody at %s', async (_, more) => {
  const code = 'machine-address-invalid';
  await expect(connectMachine(machine(more))).rejects.toMatchObject({ code });
  // On the way to another, too.
  const beyond = machine({ jump: machine(more) });
  await expect(connectMachine(beyond)).rejects.toMatchObject({ code });
});

it('takes no time over a hostile name', () => {
  const begun = performance.now();
  const address = `${'a'.repeat(1 << 20)}!`;
  expect(() => refuseInvalidAddress(machine({ address }))).toThrow();
  expect(performance.now() - begun).toBeLessThan(1000);
});
