import {
  ClusterBackupError,
  compareObjects,
  configurationWrong,
  createMissingObjects,
  DifferingObject,
  NOTHING_CHANGED,
  putBackSecrets,
  SecretName,
} from '@cluster-backup/engine';
import { ArchiveOptions, archiveSource } from '../archiveSource';
import { readConfigurationFile } from '../configuration';
import { confirmedArchive } from '../origin';
import { conclude, REFUSED } from '../terminal';

/** Shows how a cluster's objects differ from those of an archive, or puts some of them back. */
export function putBack(
  options: ArchiveOptions & {
    cluster: string;
    config: string;
    confirmDigest?: string;
    /** `NAMESPACE/NAME` each. */
    secret?: string[];
    missing?: boolean;
  },
) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const cluster = configuration.cluster(options.cluster);
    if (!('resource' in cluster)) {
      throw configurationWrong(
        options.config,
        `${options.cluster} is not of layout gdc, so nothing but etcd holds its objects`,
      );
    }
    const secrets = options.secret?.map(secretName);
    const named = await archiveSource(configuration, options);
    const archive = await confirmedArchive(
      named,
      options.confirmDigest,
      signal,
    );
    const managed = { cluster, archive, signal };
    if (!secrets && !options.missing) {
      const differing = await compareObjects(managed);
      tellDiffering(differing);
      return { differing };
    }
    const made = options.missing && (await createMissingObjects(managed));
    const put = secrets && (await putBackSecrets({ ...managed, secrets }));
    const failed = [
      ...(made ? made.failed : []),
      ...(put?.failed ?? []).map(({ object, error }) => ({
        object,
        why: error.message,
      })),
    ];
    for (const { object, why } of failed) {
      process.exitCode = REFUSED;
      process.stderr.write(`${object} was not put back: ${why}\n`);
    }
    return {
      created: [...(made ? made.created : []), ...(put?.created ?? [])],
      updated: put?.updated ?? [],
      same: put?.same ?? [],
      failed,
    };
  });
}

function secretName(text: string): SecretName {
  const [namespace, name, ...more] = text.split('/');
  if (namespace && name && !more.length) return { namespace, name };
  throw new ClusterBackupError({
    code: 'arguments-wrong',
    message: `--secret ${text} is no NAMESPACE/NAME.`,
    state: NOTHING_CHANGED,
    remedy: 'Without --secret the command shows which differ.',
  });
}

function tellDiffering(differing: DifferingObject[]) {
  for (const { kind, namespace, name, difference, fields } of differing) {
    process.stderr.write(
      `${kind} ${namespace}/${name}: ${
        difference === 'missing' ? 'is missing' : 'differs'
      }\n`,
    );
    for (const { name: field, change } of fields) {
      process.stderr.write(`  ${field}: ${change} since the backup\n`);
    }
  }
  process.stderr.write(
    differing.length
      ? 'Nothing was changed. --secret NAMESPACE/NAME puts a Secret back, --missing creates what is missing.\n'
      : 'Everything is as it is in the archive.\n',
  );
}
