import { createHmac, timingSafeEqual } from 'node:crypto';

/** A host key in the form that goes over the wire, with the type that is written in it. */
export interface HostKey {
  type: string;
  blob: Buffer;
}

/** What a known_hosts file says about one host. */
export interface KnownHostKeys {
  /** Keys that the host may prove. */
  keys: HostKey[];
  /** Keys that must be refused, whatever else is said about them. */
  revoked: HostKey[];
  /** The host is vouched for by a certificate authority, which does not help: ssh2 knows no host certificates. */
  hasCertificateAuthority: boolean;
}

interface Line {
  marker?: string;
  patterns: string;
  key: HostKey;
}

/** A line that says `@revoked` and cannot be read: what it forbids is unknown, so nothing may be trusted. */
export class UnreadableRevocation extends Error {
  constructor(readonly line: number) {
    super(`line ${line} revokes a key that cannot be read`);
  }
}

/**
 * The name under which OpenSSH files a host: `host`, or `[host]:port` where the port is not 22.
 */
export function knownHostsName(address: string, port: number): string {
  const host = address.toLowerCase();
  return port === 22 ? host : `[${host}]:${port}`;
}

/**
 * Looks one name up in the text of a known_hosts file (format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 * Lines that cannot be read vouch for nothing, as in OpenSSH.
 *
 * @throws UnreadableRevocation
 */
export function lookUpKnownHosts(text: string, name: string): KnownHostKeys {
  const found: KnownHostKeys = {
    keys: [],
    revoked: [],
    hasCertificateAuthority: false,
  };
  text.split('\n').forEach((content, index) => {
    const line = parseLine(content);
    if (!line) {
      if (/^\s*@revoked\b/.test(content)) {
        throw new UnreadableRevocation(index + 1);
      }
      return;
    }
    if (!matchesHost(line.patterns, name)) {
      return;
    }
    if (line.marker === undefined) {
      found.keys.push(line.key);
    } else if (line.marker === '@revoked') {
      found.revoked.push(line.key);
    } else if (line.marker === '@cert-authority') {
      found.hasCertificateAuthority = true;
    }
  });
  return found;
}

function parseLine(content: string): Line | undefined {
  const words = content.split(/[ \t\r]+/).filter(word => word !== '');
  if (words.length === 0 || words[0].startsWith('#')) {
    return undefined;
  }
  const marker = words[0].startsWith('@') ? words.shift() : undefined;
  const [patterns, type, base64] = words;
  if (patterns === undefined || type === undefined || base64 === undefined) {
    return undefined;
  }
  const blob = decodeBase64(base64);
  if (!blob || hostKeyType(blob) !== type) {
    return undefined;
  }
  return { marker, patterns, key: { type, blob } };
}

/** Buffer.from stops silently at the first wrong character; a key must be whole. */
function decodeBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    return undefined;
  }
  return Buffer.from(text, 'base64');
}

/** The type at the head of a public key blob (RFC 4253, 6.6), or undefined where there is none. */
export function hostKeyType(blob: Buffer): string | undefined {
  if (blob.length < 4) {
    return undefined;
  }
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) {
    return undefined;
  }
  return blob.toString('latin1', 4, 4 + length);
}

function matchesHost(patterns: string, name: string): boolean {
  if (patterns.startsWith('|')) {
    return matchesHashed(patterns, name);
  }
  let matched = false;
  for (const entry of patterns.split(',')) {
    const negated = entry.startsWith('!');
    const pattern = negated ? entry.slice(1) : entry;
    if (pattern !== '' && matchesPattern(pattern.toLowerCase(), name)) {
      if (negated) {
        return false;
      }
      matched = true;
    }
  }
  return matched;
}

function matchesHashed(entry: string, name: string): boolean {
  const [, salt, hash] =
    /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(entry) ?? [];
  if (salt === undefined || hash === undefined) {
    return false;
  }
  const actual = createHmac('sha1', Buffer.from(salt, 'base64'))
    .update(name)
    .digest();
  const expected = Buffer.from(hash, 'base64');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** `*` and `?` as ssh_config(5) PATTERNS; iterative, so that no pattern can take exponential time. */
function matchesPattern(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (
      p < pattern.length &&
      (pattern[p] === '?' || pattern[p] === name[n])
    ) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') {
    p++;
  }
  return p === pattern.length;
}
