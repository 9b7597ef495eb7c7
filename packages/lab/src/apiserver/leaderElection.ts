import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiCaller, ApiCall } from './apiCaller';
import { readFlags, requiredFlag } from './flags';
import { readKubeconfig } from './kubeconfig';
import { readNamedFiles } from './namedFiles';

// client-go's defaults: --leader-elect-lease-duration and -retry-period
const leaseSeconds = 15;
const retryMs = 2_000;

function micros(date: Date) {
  return `${date.toISOString().slice(0, -1)}000Z`;
}

/** Takes the lease when it is free or old, keeps it when it is ours. */
async function holdLease(
  call: ApiCall,
  name: string,
  identity: string,
  seen: { renewTime?: string; at: number },
): Promise<void> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
  const found = await call('GET', `${path}/${name}`);
  const renewTime = micros(new Date());
  const mine = {
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: renewTime,
    renewTime,
    leaseTransitions: 0,
  };
  if (found.code === 404) {
    await call('POST', path, { metadata: { name }, spec: mine });
    return;
  }
  if (found.code !== 200) return;
  const { spec } = found.body;
  // As client-go: a lease is old when *we* have seen it unchanged for its
  // duration; the other's clock is not trusted.
  if (seen.renewTime !== spec.renewTime) {
    seen.renewTime = spec.renewTime;
    seen.at = performance.now();
  }
  const held = spec.holderIdentity === identity;
  const isOld = performance.now() - seen.at > leaseSeconds * 1000;
  if (!held && spec.holderIdentity && !isOld) return;
  await call('PUT', `${path}/${name}`, {
    ...found.body,
    spec: held
      ? { ...spec, renewTime }
      : { ...mine, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 },
  });
}

/**
 * Runs as a component that does nothing but hold its lease, or wait for it,
 * through whatever happens to the API; SIGTERM ends it at once.
 */
export async function runLeaderElection(name: string, argv: string[]) {
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGINT', () => process.exit(0));
  const flags = readFlags(argv);
  readNamedFiles(flags);
  const { call } = apiCaller(readKubeconfig(requiredFlag(flags, 'kubeconfig')));
  const identity = `${hostname()}_${randomUUID()}`;
  const seen = { at: performance.now() };
  for (;;) {
    await holdLease(call, name, identity, seen).catch(() => {}); // the API is away
    await sleep(retryMs);
  }
}
