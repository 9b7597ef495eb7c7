import { dirname, join, sep } from 'node:path';

/**
 * ssh2 without its native ciphers, whatever else in this process has loaded it with them (docker-modem does).
 *
 * Built with the headers of Node 24.19 to 24.21, they abort the whole process when one of their objects is collected
 * (nodejs/node#65446, mscdex/ssh2#1511), and a portal is not to die of a backup. Nor would they be faster: see
 * `cipherKeys`.
 */
export const { Client, utils } = loadWithoutNativeCiphers();
export type Client = import('ssh2').Client;

function loadWithoutNativeCiphers(): typeof import('ssh2') {
  const library = dirname(require.resolve('ssh2'));
  const { cache } = require;
  const hidden = modulesBelow(library);
  for (const path of Object.keys(hidden)) {
    delete cache[path];
  }
  // ssh2 does without its binding where that is nothing.
  const binding = join(library, 'protocol/crypto/build/Release/sshcrypto.node');
  cache[binding] = { exports: undefined, loaded: true } as NodeModule;
  try {
    return require('ssh2');
  } finally {
    for (const path of Object.keys(modulesBelow(library))) {
      delete cache[path];
    }
    Object.assign(cache, hidden);
  }
}

function modulesBelow(folder: string): NodeJS.Dict<NodeModule> {
  return Object.fromEntries(
    Object.entries(require.cache).filter(([path]) =>
      path.startsWith(folder + sep),
    ),
  );
}
