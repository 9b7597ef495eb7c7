import { checkCluster, connectCluster } from '@cluster-backup/engine';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import {
  conclude,
  OutputOptions,
  REFUSED,
  tell,
  tellFindings,
} from '../terminal';

/** Looks at everything that a restore would need, and tells it; exits with 69 when something would stop one. */
export function check(options: ClusterOptions & OutputOptions) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    const access = await clusterFor(configuration, options);
    const cluster = await connectCluster(access, { signal });
    try {
      const { findings } = await checkCluster(cluster, {
        purpose: 'look',
        progress: tell(),
        signal,
      });
      tellFindings(findings);
      const ok = findings.every(finding => finding.level !== 'refusal');
      if (!ok) process.exitCode = REFUSED;
      return {
        words: ok
          ? `Nothing keeps ${access.name} from being restored.\n`
          : `As it is now, ${access.name} would not be restored.\n`,
        facts: { ok, findings },
      };
    } finally {
      await cluster.close();
    }
  });
}
