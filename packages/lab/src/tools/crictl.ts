import { stringify } from 'yaml';
import { AGENT_SOCKET, askAgent } from '../node/protocol';
import { Container, imageDigest } from '../node/runtime';
import { columns, FlagTable, parseFlags } from './flags';
import { ToolFailure } from './ToolFailure';

const ENDPOINT = 'unix:///run/containerd/containerd.sock';

const globalFlags: FlagTable = {
  '-c': { name: 'config', value: true },
  '--config': { name: 'config', value: true },
  '-D': { name: 'debug', value: false },
  '--debug': { name: 'debug', value: false },
  '-r': { name: 'runtime-endpoint', value: true },
  '--runtime-endpoint': { name: 'runtime-endpoint', value: true },
  '-i': { name: 'image-endpoint', value: true },
  '--image-endpoint': { name: 'image-endpoint', value: true },
  '-t': { name: 'timeout', value: true },
  '--timeout': { name: 'timeout', value: true },
  '-v': { name: 'version', value: false },
  '--version': { name: 'version', value: false },
};

const psFlags: FlagTable = {
  '-a': { name: 'all', value: false },
  '--all': { name: 'all', value: false },
  '-q': { name: 'quiet', value: false },
  '--quiet': { name: 'quiet', value: false },
  '-o': { name: 'output', value: true },
  '--output': { name: 'output', value: true },
  '--name': { name: 'name', value: true },
  '--label': { name: 'label', value: true },
  '--id': { name: 'id', value: true },
  '--image': { name: 'image', value: true },
  '-p': { name: 'pod', value: true },
  '--pod': { name: 'pod', value: true },
  '-s': { name: 'state', value: true },
  '--state': { name: 'state', value: true },
  '--namespace': { name: 'namespace', value: true },
  '--no-trunc': { name: 'no-trunc', value: false },
  '-l': { name: 'latest', value: false },
  '--latest': { name: 'latest', value: false },
};

const outputFlags: FlagTable = {
  '-o': { name: 'output', value: true },
  '--output': { name: 'output', value: true },
  '-q': { name: 'quiet', value: false },
  '--quiet': { name: 'quiet', value: false },
};

const stopFlags: FlagTable = {
  '-t': { name: 'timeout', value: true },
  '--timeout': { name: 'timeout', value: true },
};

const removeFlags: FlagTable = {
  '-f': { name: 'force', value: false },
  '--force': { name: 'force', value: false },
};

const commands: Record<string, (argv: string[]) => Promise<number>> = {
  ps,
  inspect,
  stop,
  rm: remove,
  images,
  inspecti: inspectImage,
  pull,
  version,
};

/** cri-tools' `crictl` 1.31, as far as a static pod's life needs it. */
export async function crictl(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('crictl', argv, globalFlags, true);
  if (flags.version) return print('crictl version v1.31.1\n');
  if (process.getuid?.() !== 0) {
    throw fatal(
      `validate service connection: validate CRI v1 runtime API for endpoint "${ENDPOINT}": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: permission denied"`,
    );
  }
  const [command, ...rest] = words;
  const run = commands[command];
  if (!run) throw fatal(`No help topic for '${command ?? ''}'`);
  return run(rest);
}

function fatal(message: string): ToolFailure {
  return new ToolFailure(
    `time="${new Date().toISOString()}" level=fatal msg=${JSON.stringify(
      message,
    )}`,
  );
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function containers(): Promise<Container[]> {
  return askAgent(AGENT_SOCKET, 'containers').catch(error => {
    throw fatal(
      `validate service connection: validate CRI v1 runtime API for endpoint "${ENDPOINT}": ${error.message}`,
    );
  });
}

function labelsOf(container: Container): Record<string, string> {
  return {
    'io.kubernetes.container.name': container.name,
    'io.kubernetes.pod.name': container.podName,
    'io.kubernetes.pod.namespace': container.podNamespace,
    'io.kubernetes.pod.uid': container.podUid,
  };
}

function annotationsOf(container: Container): Record<string, string> {
  return {
    'io.kubernetes.container.hash': container.hash,
    'io.kubernetes.container.restartCount': String(container.attempt),
    'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
    'io.kubernetes.container.terminationMessagePolicy': 'File',
    'io.kubernetes.pod.terminationGracePeriod': String(
      container.gracePeriodSeconds,
    ),
  };
}

async function ps(argv: string[]): Promise<number> {
  const { flags } = parseFlags('crictl', argv, psFlags);
  const labels = (flags.label ?? []).map(label => label.split('='));
  const state = flags.state?.[0]?.toLowerCase();
  let found = (await containers()).filter(container => {
    const own = labelsOf(container);
    const running = container.state === 'CONTAINER_RUNNING';
    if (state) {
      if ((state === 'running') !== running) return false;
    } else if (!flags.all && !flags.latest && !running) return false;
    return (
      labels.every(([key, value]) => own[key] === value) &&
      matches(flags.name, container.name) &&
      matches(flags.namespace, container.podNamespace) &&
      (!flags.id || container.id.startsWith(flags.id[0])) &&
      (!flags.pod || container.podSandboxId.startsWith(flags.pod[0])) &&
      (!flags.image || container.image === flags.image[0])
    );
  });
  if (flags.latest) found = found.slice(0, 1);
  const output = flags.output?.[0] ?? 'table';
  if (output === 'json' || output === 'yaml') {
    return print(
      formatted(output, {
        containers: found.map(container => ({
          id: container.id,
          podSandboxId: container.podSandboxId,
          metadata: { name: container.name, attempt: container.attempt },
          image: {
            image: container.imageRef,
            annotations: {},
            userSpecifiedImage: container.image,
            runtimeHandler: '',
          },
          imageRef: container.imageRef,
          state: container.state,
          createdAt: `${container.createdAt}000000`,
          labels: labelsOf(container),
          annotations: annotationsOf(container),
          imageId: container.imageRef,
        })),
      }),
    );
  }
  if (flags.quiet) return print(found.map(({ id }) => `${id}\n`).join(''));
  const cut = (text: string) =>
    flags['no-trunc'] ? text : text.replace(/^sha256:/, '').slice(0, 13);
  return print(
    columns(
      [
        [
          ...['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT'],
          ...['POD ID', 'POD', 'NAMESPACE'],
        ],
        ...found.map(container => [
          cut(container.id),
          cut(container.imageRef),
          ago(container.createdAt),
          container.state === 'CONTAINER_RUNNING' ? 'Running' : 'Exited',
          container.name,
          String(container.attempt),
          cut(container.podSandboxId),
          container.podName,
          container.podNamespace,
        ]),
      ],
      8,
    ),
  );
}

function matches(patterns: string[] | undefined, text: string): boolean {
  return (patterns ?? []).every(pattern => new RegExp(pattern).test(text));
}

function formatted(output: string, value: unknown): string {
  return output === 'yaml'
    ? stringify(value)
    : `${JSON.stringify(value, null, 2)}\n`;
}

function ago(time: number): string {
  const seconds = Math.floor((Date.now() - time) / 1000);
  if (seconds < 1) return 'Less than a second ago';
  if (seconds < 60)
    return seconds === 1 ? '1 second ago' : `${seconds} seconds ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2) return 'About a minute ago';
  if (minutes < 60) return `${minutes} minutes ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 2 ? 'About an hour ago' : `${hours} hours ago`;
}

async function findAll(ids: string[], action: string): Promise<Container[]> {
  if (!ids.length) throw fatal('ID cannot be empty');
  const all = await containers();
  return ids.map(id => {
    const found = all.filter(container => container.id.startsWith(id));
    if (found.length !== 1) {
      throw fatal(
        `${action} the container "${id}": rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
      );
    }
    return found[0];
  });
}

async function stop(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('crictl', argv, stopFlags);
  const graceSeconds = Number(flags.timeout?.[0] ?? 0);
  for (const { id } of await findAll(words, 'stopping')) {
    await askAgent(AGENT_SOCKET, 'stopContainer', { id, graceSeconds });
    print(`${id}\n`);
  }
  return 0;
}

async function remove(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('crictl', argv, removeFlags);
  for (const { id, state } of await findAll(words, 'removing')) {
    if (state === 'CONTAINER_RUNNING') {
      if (!flags.force) {
        throw fatal(
          `removing container "${id}" failed: container is running, please stop it first`,
        );
      }
      await askAgent(AGENT_SOCKET, 'stopContainer', { id, graceSeconds: 0 });
    }
    await askAgent(AGENT_SOCKET, 'removeContainer', { id });
    print(`${id}\n`);
  }
  return 0;
}

async function inspect(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('crictl', argv, outputFlags);
  for (const container of await findAll(words, 'getting the status of')) {
    const iso = (time: number) =>
      time ? new Date(time).toISOString() : '0001-01-01T00:00:00Z';
    const running = container.state === 'CONTAINER_RUNNING';
    let reason = '';
    if (!running) reason = container.exitCode === 0 ? 'Completed' : 'Error';
    print(
      formatted(flags.output?.[0] ?? 'json', {
        info: {
          sandboxID: container.podSandboxId,
          pid: running ? container.pid : 0,
          removing: false,
          snapshotKey: container.id,
          snapshotter: 'overlayfs',
          runtimeType: 'io.containerd.runc.v2',
          config: { command: container.command, log_path: container.logPath },
        },
        status: {
          annotations: annotationsOf(container),
          createdAt: iso(container.createdAt),
          exitCode: container.exitCode,
          finishedAt: iso(container.finishedAt),
          id: container.id,
          image: {
            annotations: {},
            image: container.image,
            runtimeHandler: '',
            userSpecifiedImage: '',
          },
          imageId: container.imageRef,
          imageRef: container.imageRef,
          labels: labelsOf(container),
          logPath: container.logPath,
          message: '',
          metadata: { attempt: container.attempt, name: container.name },
          mounts: [],
          reason,
          startedAt: iso(container.createdAt),
          state: container.state,
        },
      }),
    );
  }
  return 0;
}

async function images(argv: string[]): Promise<number> {
  const { flags } = parseFlags('crictl', argv, outputFlags);
  const names = await askAgent(AGENT_SOCKET, 'images');
  const output = flags.output?.[0] ?? 'table';
  if (output === 'json' || output === 'yaml') {
    return print(
      formatted(output, {
        images: names.map(name => ({
          id: imageDigest(name),
          repoTags: [name],
          repoDigests: [`${name.replace(/:[^:/]*$/, '')}@${imageDigest(name)}`],
          size: '0',
          uid: null,
          username: '',
          spec: null,
          pinned: false,
        })),
      }),
    );
  }
  if (flags.quiet) {
    return print(names.map(name => `${imageDigest(name)}\n`).join(''));
  }
  return print(
    columns(
      [
        ['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'],
        ...names.map(name => {
          const [, image, tag] = /^(.*):([^:/]*)$/.exec(name) ?? ['', name, ''];
          return [image, tag, imageDigest(name).slice(7, 20), '0B'];
        }),
      ],
      8,
    ),
  );
}

async function inspectImage(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('crictl', argv, outputFlags);
  const names = await askAgent(AGENT_SOCKET, 'images');
  for (const name of words) {
    if (!names.includes(name)) {
      throw fatal(`no such image "${name}" present`);
    }
    if (!flags.quiet) {
      const status = { id: imageDigest(name), repoTags: [name] };
      print(formatted(flags.output?.[0] ?? 'json', { status }));
    }
  }
  return 0;
}

/** The lab's network has no way out. */
async function pull([name]: string[]): Promise<number> {
  if ((await askAgent(AGENT_SOCKET, 'images')).includes(name)) {
    return print(`Image is up to date for ${imageDigest(name)}\n`);
  }
  const host = name.split('/')[0];
  throw fatal(
    `pulling image: failed to pull and unpack image "${name}": failed to resolve reference "${name}": dial tcp: lookup ${host}: no such host`,
  );
}

async function version(): Promise<number> {
  return print(
    'Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  1.7.24\nRuntimeApiVersion:  v1\n',
  );
}
