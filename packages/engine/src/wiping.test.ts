import crypto, { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Decrypter } from 'age-encryption';
import { generateAgeKey, readArchive } from './archive';
import { sample, writeSample } from './archive/__testUtils__/sampleArchive';
import { inPieces } from './archive/__testUtils__/streams';
import { connectMember } from './etcd';
import { readNodeCredentials } from './kubernetes';
import { readControlPlaneNode, readNodeCertificates } from './layout';
import {
  KubeadmTree,
  makeKubeadmTree,
  makePki,
} from './layout/__testUtils__/kubeadmTree';
import { readFiles } from './layout/readFiles';
import { Machine } from './machine';
import { readPrivateKey } from './machine/privateKey';

jest.mock('./layout/readFiles', () => {
  const genuine = jest.requireActual('./layout/readFiles');
  return { ...genuine, readFiles: jest.fn(genuine.readFiles) };
});

const { signal } = new AbortController();
const isWiped = (bytes: Uint8Array) =>
  bytes.length > 0 && bytes.every(byte => byte === 0);

describe('the keys of an archive', () => {
  const fileKeys: Uint8Array[] = [];
  const payloadKeys: ArrayBuffer[] = [];
  let identity: string;
  let bytes: Buffer;

  beforeEach(async () => {
    const genuine = Decrypter.prototype.decryptHeader;
    jest
      .spyOn(Decrypter.prototype, 'decryptHeader')
      .mockImplementation(async function opened(this: Decrypter, header) {
        const key = await genuine.call(this, header);
        fileKeys.push(key);
        return key;
      });
    const derive = crypto.hkdfSync;
    jest.spyOn(crypto, 'hkdfSync').mockImplementation((...given) => {
      const key = derive(...given);
      payloadKeys.push(key);
      return key;
    });
    const key = await generateAgeKey();
    identity = key.identity;
    const what = sample(Buffer.alloc(300_000, 'a snapshot'));
    ({ bytes } = await writeSample(what, [key.recipient]));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    fileKeys.length = payloadKeys.length = 0;
  });

  const allWiped = () => {
    expect(payloadKeys.length).toBeGreaterThan(1);
    return payloadKeys.every(key => isWiped(new Uint8Array(key)));
  };

  it('are wiped when it was written and read', async () => {
    await readArchive(inPieces(bytes), { identities: [identity] });
    expect(fileKeys.map(isWiped)).toEqual([true]);
    expect(allWiped()).toBe(true);
  });

  it('are wiped when it was altered', async () => {
    bytes[bytes.length - 20] ^= 1;
    await expect(
      readArchive(inPieces(bytes), { identities: [identity] }),
    ).rejects.toThrow(/altered/);
    expect(fileKeys.map(isWiped)).toEqual([true]);
    expect(allWiped()).toBe(true);
  });

  it('are wiped when its reader leaves', async () => {
    const left = new Error('enough');
    await expect(
      readArchive(
        inPieces(bytes),
        { identities: [identity] },
        {
          description() {
            throw left;
          },
        },
      ),
    ).rejects.toBe(left);
    expect(fileKeys.map(isWiped)).toEqual([true]);
    expect(allWiped()).toBe(true);
  });

  it('are left to whoever gave them', async () => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const header = bytes.subarray(
      0,
      bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1,
    );
    const fileKey = await decrypter.decryptHeader(header);
    await readArchive(inPieces(bytes), { fileKey });
    expect(isWiped(fileKey)).toBe(false);
    expect(allWiped()).toBe(true);
  });
});

it.each(['a kubeconfig', 'nothing of use'])(
  'wipes what was read of a node, be it %s',
  async text => {
    const content = Buffer.from(text);
    const path = '/etc/kubernetes/admin.conf';
    jest.mocked(readFiles).mockResolvedValueOnce(new Map([[path, content]]));
    const machine = { name: 'cp1' } as Machine;
    await expect(readNodeCredentials({ machine }, signal)).rejects.toThrow();
    expect(isWiped(content)).toBe(true);
  },
);

describe('what was read of a control-plane node', () => {
  let pki: string;
  let tree: KubeadmTree;

  beforeAll(() => {
    pki = makePki();
    tree = makeKubeadmTree(pki);
  });
  afterAll(() => {
    tree.close();
    rmSync(pki, { recursive: true });
  });
  beforeEach(() => jest.mocked(readFiles).mockClear());

  const contents = async () => {
    const read = await Promise.all(
      jest.mocked(readFiles).mock.results.map(({ value }) => value),
    );
    const all = read.flatMap(files => [...(files as Map<string, Buffer>)]);
    expect(all.length).toBeGreaterThan(2);
    return all.map(([path, content]) => ({ path, left: !isWiped(content) }));
  };
  const left = async () => {
    const all = await contents();
    return all.filter(file => file.left).map(({ path }) => path);
  };

  it('is wiped when it is known what the node is, or that it is none', async () => {
    await readControlPlaneNode(tree.machine, signal);
    expect(await left()).toEqual([]);
    const other = makeKubeadmTree(pki);
    other.remove('/etc/kubernetes/pki/ca.crt');
    await expect(readControlPlaneNode(other.machine, signal)).rejects.toThrow(
      /is not there/,
    );
    other.close();
    expect(await left()).toEqual([]);
  });

  it('is wiped when its certificates were listed', async () => {
    const node = await readControlPlaneNode(tree.machine, signal);
    jest.mocked(readFiles).mockClear();
    await readNodeCertificates(node, signal);
    expect(await left()).toEqual([]);
  });

  it('is kept of the key that etcd asks for until the member is let go', async () => {
    const node = await readControlPlaneNode(tree.machine, signal);
    jest.mocked(readFiles).mockClear();
    const member = await connectMember(node, { signal });
    const keys = (await left()).filter(path => path.endsWith('.key'));
    expect(keys).toHaveLength(1);
    await member.close();
    expect((await left()).filter(path => path.endsWith('.key'))).toEqual([]);
  });
});

it('wipes what an SSH key passes through', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(
    privateKey.export({ format: 'jwk' }).d!,
    'base64url',
  );
  const concat = Buffer.concat;
  const made: Buffer[] = [];
  jest.spyOn(Buffer, 'concat').mockImplementation((...given) => {
    const bytes = concat(...given);
    if (bytes.includes(seed)) made.push(bytes);
    return bytes;
  });
  const key = readPrivateKey({
    name: 'cp1',
    user: 'root',
    privateKey: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  });
  jest.restoreAllMocks();
  expect(key.type).toBe('ssh-ed25519');
  expect(made.length).toBeGreaterThan(2);
  expect(made.filter(bytes => bytes.includes(seed))).toHaveLength(0);
});
