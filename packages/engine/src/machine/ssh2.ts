import { sep } from 'node:path';

/**
 * ssh2 without its native ciphers, whatever else in this process has loaded it with them (docker-modem does).
 *
 * Built with the headers of Node 24.19 to 24.21, they abort the whole process when one of their objects is collected
 * (nodejs/node#65446, mscdex/ssh2#1511), and a portal is not to die of a backup. Nor would they be faster: see
 * `cipherKeys`.
 */
export const { Client, utils } = loadWithoutNativeCiphers();

function loadWithoutNativeCiphers(): typeof import('ssh2') {
  const theirs = takeOutOfCache();
  const { dlopen } = process;
  process.dlopen = () => {
    throw new Error('Without native code');
  };
  try {
    return require('ssh2');
  } finally {
    process.dlopen = dlopen;
    takeOutOfCache();
    Object.assign(require.cache, theirs);
  }
}

function takeOutOfCache(): NodeJS.Dict<NodeModule> {
  const { cache } = require;
  const folder = `${sep}node_modules${sep}ssh2${sep}`;
  const paths = Object.keys(cache).filter(path => path.includes(folder));
  const modules = paths.map(path => [path, cache[path]]);
  for (const path of paths) {
    delete cache[path];
  }
  return Object.fromEntries(modules);
}
