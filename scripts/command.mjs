// The command as one file that needs nothing beside it: command.mjs OUTPUT.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const checkout = join(dirname(fileURLToPath(import.meta.url)), '..');

/** etcd3 reads its services from files beside it; here they come along. */
const etcdServices = {
  name: 'etcd-services',
  setup({ onLoad }) {
    onLoad({ filter: /etcd3[/\\]lib[/\\]connection-pool\.js$/ }, async file => {
      const source = await readFile(file.path, 'utf8');
      const proto = join(dirname(file.path), '../proto/rpc.proto');
      const { Root } = protobufOf(file.path);
      const services = new Root().loadSync(proto, { keepCase: true }).toJSON();
      const reading = 'loadSync)(`${__dirname}/../proto/rpc.proto`';
      if (!source.includes(reading)) {
        throw new Error('etcd3 reads its services in another way than it did');
      }
      const contents = source.replace(
        reading,
        () => `fromJSON)(${JSON.stringify(services)}`,
      );
      return { contents };
    });
  },
};

/** The one that etcd3's loader works with. */
function protobufOf(path) {
  const loader = createRequire(path).resolve('@grpc/proto-loader');
  return createRequire(loader)('protobufjs');
}

await build({
  entryPoints: [join(checkout, 'packages/cli/src/main.ts')],
  outfile: process.argv[2],
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  logLevel: 'warning',
  // Native code that ssh2 does without.
  external: ['*.node', 'cpu-features'],
  alias: {
    '@cluster-backup/engine': join(checkout, 'packages/engine/src/index.ts'),
  },
  plugins: [etcdServices],
});
