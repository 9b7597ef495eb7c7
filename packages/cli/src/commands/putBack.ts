import {
  ClusterBackupError,
  compareObjects,
  createMissingObjects,
  DifferingObject,
  NOTHING_CHANGED,
  putBackSecrets,
  SecretName,
} from '@cluster-backup/engine';
import { ArchiveOptions, withArchive } from '../archiveSource';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import { confirmedArchive } from '../origin';
import { conclude, OutputOptions, REFUSED, Told } from '../terminal';

type PutBackOptions = ArchiveOptions &
  ClusterOptions &
  OutputOptions & {
    confirmDigest?: string;
    /** `NAMESPACE/NAME` each. */
    secret?: string[];
    missing?: boolean;
  };

/** Shows how a cluster's objects differ from those of an archive, or puts some of them back. */
export function putBack(options: PutBackOptions) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    const secrets = options.secret?.map(secretName);
    return withArchive(configuration, options, signal, async named => {
      const cluster = await clusterFor(configuration, options, named, signal);
      if (!('resource' in cluster)) throw notManaged(cluster.name);
      const archive = await confirmedArchive(named, options, signal);
      const managed = { cluster, archive, signal };
      return !secrets && !options.missing
        ? tellDiffering(await compareObjects(managed))
        : putBackChosen(managed, { secrets, missing: options.missing });
    });
  });
}

async function putBackChosen(
  managed: Parameters<typeof createMissingObjects>[0],
  { secrets, missing }: { secrets?: SecretName[]; missing?: boolean },
): Promise<Told> {
  const made = missing ? await createMissingObjects(managed) : undefined;
  const put = secrets && (await putBackSecrets({ ...managed, secrets }));
  const failed = [
    ...(made?.failed ?? []),
    ...(put?.failed ?? []).map(({ object, error }) => ({
      object,
      why: error.message,
    })),
  ];
  for (const { object, why } of failed) {
    process.exitCode = REFUSED;
    process.stderr.write(`${object} was not put back: ${why}\n`);
  }
  const created = [...(made?.created ?? []), ...(put?.created ?? [])];
  const { updated = [], same = [] } = put ?? {};
  return {
    words: [
      ...created.map(object => `${object} was created\n`),
      ...updated.map(object => `${object} was put back\n`),
      ...same.map(object => `${object} was as in the archive\n`),
    ].join(''),
    facts: { created, updated, same, failed },
  };
}

function notManaged(cluster: string) {
  return new ClusterBackupError({
    code: 'cluster-not-managed',
    message: `${cluster} is not of layout gdc, so nothing but etcd holds its objects.`,
    state: NOTHING_CHANGED,
    remedy: 'Restore its etcd.',
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

function tellDiffering(differing: DifferingObject[]): Told {
  const lines = differing.flatMap(
    ({ kind, namespace, name, difference, fields }) => [
      `${kind} ${namespace}/${name}: ${
        difference === 'missing' ? 'is missing' : 'differs'
      }\n`,
      ...fields.map(
        ({ name: field, change }) => `  ${field}: ${change} since the backup\n`,
      ),
    ],
  );
  process.stderr.write(
    differing.length
      ? 'Nothing was changed. --secret NAMESPACE/NAME puts a Secret back, --missing creates what is missing.\n'
      : 'Everything is as it is in the archive.\n',
  );
  return { words: lines.join(''), facts: { differing } };
}
