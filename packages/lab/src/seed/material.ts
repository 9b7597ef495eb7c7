import { Random } from './random';

export const words =
  'account adapter audit balance batch billing booking broker cache catalog channel checkout cluster collector content customer delivery device dispatch document edge engine export feed fleet gateway geo grant identity import index ingest inventory invoice job ledger limit listing mail market media meter notification offer order partner payment plan portal price product profile queue quota rate recommendation refund registry relay report return route rule sales schedule search session settlement shipping signal stock store stream subscription supplier support sync tariff tax tenant ticket token tracking trade transfer user vault vehicle voucher wallet warehouse webhook'.split(
    ' ',
  );

export const components =
  'api web worker cron consumer gateway proxy admin cache scheduler indexer migrator'.split(
    ' ',
  );

/** Text and bytes to cut the contents of objects from: cutting is cheap. */
export interface Material {
  /** whole lines of configuration, about `size` bytes */
  text(size: number): string;
  /** bytes that do not compress */
  noise(size: number): Buffer;
}

const textPoolBytes = 3 << 20;
const noisePoolBytes = 4 << 20;

function propertyLine(random: Random) {
  const path = `${random.pick(words)}.${random.pick(words)}.${random.pick([
    'enabled',
    'timeout-ms',
    'max-connections',
    'endpoint',
    'retry.attempts',
    'cache.ttl-seconds',
    'log-level',
    'secret-ref',
  ])}`;
  const value = random.pick([
    () => 'true',
    () => 'false',
    () => String(random.below(60) * 500),
    () => random.pick(['DEBUG', 'INFO', 'WARN', 'ERROR']),
    () =>
      `https://${random.pick(words)}-${random.pick(components)}.${random.pick(
        words,
      )}.svc.cluster.local:${8000 + random.below(1000)}`,
    () => random.hex(12),
    () => `${random.pick(words)}/${random.pick(words)}-${random.below(100)}`,
  ])();
  return `${path}=${value}\n`;
}

function yamlLines(random: Random) {
  const name = random.pick(words);
  return `  ${name}:\n    replicas: ${random.below(
    9,
  )}\n    image: registry.example.com/${name}/${random.pick(
    components,
  )}:${random.below(9)}.${random.below(30)}.${random.below(
    90,
  )}\n    resources:\n      limits:\n        cpu: ${
    random.below(40) * 50
  }m\n        memory: ${random.below(64) * 64}Mi\n    description: ${Array.from(
    { length: 4 + random.below(8) },
    () => random.pick(words),
  ).join(' ')}\n`;
}

function serverLines(random: Random) {
  const name = random.pick(words);
  return `    location /${name}/v${
    1 + random.below(3)
  } {\n        proxy_pass http://${name}-${random.pick(components)}:${
    8000 + random.below(999)
  };\n        proxy_set_header X-Request-Id $request_id;\n        proxy_read_timeout ${random.below(
    120,
  )}s;\n    }\n`;
}

export function prepareMaterial(random: Random): Material {
  const lines: string[] = [];
  let size = 0;
  while (size < textPoolBytes) {
    // a file keeps to one syntax for a while
    const line = random.pick([propertyLine, yamlLines, serverLines]);
    for (let count = 20 + random.below(60); count > 0; count -= 1) {
      const text = line(random);
      lines.push(text);
      size += text.length;
    }
  }
  const pool = lines.join('');
  const noise = Buffer.alloc(noisePoolBytes);
  for (let at = 0; at < noise.length; at += 4) {
    noise.writeUInt32LE(Math.floor(random.next() * 0x100000000), at);
  }
  return {
    text(length) {
      const from = random.below(Math.max(1, pool.length - length - 400));
      const start = pool.indexOf('\n', from) + 1;
      return pool.slice(start, pool.indexOf('\n', start + length) + 1);
    },
    noise(length) {
      const from = random.below(noise.length - length);
      return noise.subarray(from, from + length);
    },
  };
}
