import { Etcd } from './etcd';

/** How long etcd may take to answer before the API server says it is not well. */
const etcdTimeoutMs = 2_000;

/** One line of `/readyz?verbose`. */
export interface HealthCheck {
  name: string;
  passes(): Promise<boolean> | boolean;
}

/** As the real one: a read that needs the quorum. */
export function etcdCheck(etcd: Etcd): HealthCheck {
  return {
    name: 'etcd',
    passes: () =>
      etcd
        .range({
          key: Buffer.from('/registry/health'),
          timeoutMs: etcdTimeoutMs,
        })
        .then(
          () => true,
          () => false,
        ),
  };
}

/** @returns the status code and text of a health endpoint */
export async function healthReport(
  endpoint: string,
  checks: HealthCheck[],
  verbose: boolean,
): Promise<{ code: number; text: string }> {
  const results = await Promise.all(
    checks.map(async ({ name, passes }) => ({ name, ok: await passes() })),
  );
  const ok = results.every(result => result.ok);
  const lines = results.map(result =>
    result.ok
      ? `[+]${result.name} ok`
      : `[-]${result.name} failed: reason withheld`,
  );
  if (!ok) {
    return {
      code: 500,
      text: `${[...lines, `${endpoint} check failed`].join('\n')}\n`,
    };
  }
  return {
    code: 200,
    text: verbose
      ? `${[...lines, `${endpoint} check passed`].join('\n')}\n`
      : 'ok',
  };
}
