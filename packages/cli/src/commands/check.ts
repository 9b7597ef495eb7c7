import { checkCluster, connectCluster } from '@cluster-backup/engine';
import { readConfigurationFile } from '../configuration';
import { conclude, REFUSED, tell, tellFindings } from '../terminal';

/** Looks at everything that a restore would need, and tells it; exits with 69 when something would stop one. */
export function check(options: { cluster: string; config: string }) {
  return conclude(async signal => {
    const access = readConfigurationFile(options.config).cluster(
      options.cluster,
    );
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
      return { ok, findings };
    } finally {
      await cluster.close();
    }
  });
}
