import {
  AuditorService,
  BackstageCredentials,
  HttpAuthService,
  PermissionsService,
} from '@backstage/backend-plugin-api';
import {
  Entity,
  parseEntityRef,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { ClusterOwnership } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Request } from 'express';
import { isPerson, nameOf } from './caller';
import { Ownership } from './Ownership';
import { Right, RIGHTS } from './rights';

/** Whoever was found to be allowed. */
export interface Allowed {
  entity: Entity;
  clusterRef: string;
  /** The person's entity, or what a service calls itself. */
  by: string;
  credentials: BackstageCredentials;
  /** Whose the cluster is, as rights count it; asked once. */
  ownership(): Promise<ClusterOwnership>;
  /** Whether whoever asks is one of these, or of a group among them or within one of them; looked up once. */
  isOf(owners: string[]): Promise<boolean>;
}

/** A cluster: by its entity, or by something else that leads to one, and is as little there as its cluster is seen. */
export type Cluster =
  | { ref: string }
  | {
      refOf: () => Promise<string | undefined>;
      unknown: () => ClusterBackupError;
    };

/** Answers whether this person may do this to this cluster, now; every answer is an audit event. */
export class ClusterAuthority {
  private readonly httpAuth: HttpAuthService;
  private readonly permissions: PermissionsService;
  private readonly catalog: CatalogService;
  private readonly auditor: AuditorService;
  private readonly ownership: Ownership;
  private readonly requireOwnership: boolean;
  private readonly emergencyApprovers: string[];

  constructor(options: {
    httpAuth: HttpAuthService;
    permissions: PermissionsService;
    catalog: CatalogService;
    auditor: AuditorService;
    ownership: Ownership;
    /** Whether some rights are the owners' alone. */
    requireOwnership: boolean;
    /** Groups, and persons, who may approve a restore alone. */
    emergencyApprovers: string[];
  }) {
    this.httpAuth = options.httpAuth;
    this.permissions = options.permissions;
    this.catalog = options.catalog;
    this.auditor = options.auditor;
    this.ownership = options.ownership;
    this.requireOwnership = options.requireOwnership;
    this.emergencyApprovers = options.emergencyApprovers.map(ref =>
      stringifyEntityRef(parseEntityRef(ref, { defaultKind: 'group' })),
    );
  }

  /**
   * Does what was asked for when whoever asks may; what came of it is told to the audit.
   *
   * @throws ClusterBackupError `cluster-unknown` where it is not known or not to be seen, or what the thing that leads
   * to it says when it is not there; `person-needed`, `permission-missing`, `not-owner`
   */
  async perform<T>(
    request: Request<any, any, any, any>,
    wanted: {
      event: string;
      right: Right;
      cluster: Cluster;
      meta?: Record<string, string>;
      /** Of its audit event, where it is another than the right's. */
      severity?: 'critical';
    },
    act: (allowed: Allowed) => Promise<T>,
  ): Promise<T> {
    const { event, right, cluster, meta } = wanted;
    const { isPersonal, severity } = RIGHTS[right];
    const credentials = await this.httpAuth.credentials(request, {
      allow: isPersonal ? ['user'] : ['user', 'service'],
    });
    const audited = await this.auditor.createEvent({
      eventId: event,
      severityLevel: wanted.severity ?? severity,
      request,
      meta: { ...meta, ...('ref' in cluster && { clusterRef: cluster.ref }) },
    });
    try {
      const entity = await this.seen(cluster, credentials);
      const allowed = this.askingOf(entity, credentials);
      const denied = await this.whyNot(allowed, right);
      if (denied) throw denied;
      const result = await act(allowed);
      await audited.success({ meta: { clusterRef: allowed.clusterRef } });
      return result;
    } catch (error) {
      await audited.fail({ error: error as Error });
      throw error;
    }
  }

  /** What keeps somebody from doing something to a cluster; for showing it, not for deciding. */
  async whyNot(
    allowed: Allowed,
    right: Right,
  ): Promise<ClusterBackupError | undefined> {
    const { permission, isPersonal, ownersMay } = RIGHTS[right];
    const { clusterRef: resourceRef, credentials } = allowed;
    if (isPersonal && !isPerson(credentials)) {
      return new ClusterBackupError({
        code: 'person-needed',
        message: `Only persons may do this to ${resourceRef}.`,
        state: NOTHING_CHANGED,
        remedy: 'Sign in, and do it yourself.',
      });
    }
    const [{ result }] = await this.permissions.authorize(
      [{ permission, resourceRef }],
      { credentials },
    );
    if (result !== AuthorizeResult.ALLOW) {
      return new ClusterBackupError({
        code: 'permission-missing',
        message: `You may not do this to ${resourceRef}: the permission ${permission.name} is missing.`,
        state: NOTHING_CHANGED,
        remedy: `Ask whoever decides about permissions in this portal for ${permission.name}.`,
        details: { permission: permission.name },
      });
    }
    if (!ownersMay || !this.requireOwnership || !isPerson(credentials)) {
      return undefined;
    }
    const ownership = await allowed.ownership();
    if (await allowed.isOf(ownership.owners)) return undefined;
    return notOwner(resourceRef, ownersMay, ownership);
  }

  /**
   * What keeps somebody who may approve restores from approving one alone, their own too. It takes the place of the
   * second person, and of nothing else.
   */
  async whyNotAlone(allowed: Allowed): Promise<ClusterBackupError | undefined> {
    const owners = this.emergencyApprovers;
    if (owners.length && (await allowed.isOf(owners))) return undefined;
    return new ClusterBackupError({
      code: 'emergency-not-member',
      message: owners.length
        ? `Only ${owners.join(', ')} may approve a restore alone.`
        : 'Nobody may approve a restore alone: no group is configured for emergencies.',
      state: NOTHING_CHANGED,
      remedy: owners.length
        ? 'Ask one of them, or a second person.'
        : 'Ask a second person.',
      details: { groups: owners },
    });
  }

  private askingOf(entity: Entity, credentials: BackstageCredentials): Allowed {
    let ownership: Promise<ClusterOwnership> | undefined;
    let belongings: Promise<Set<string>> | undefined;
    return {
      entity,
      clusterRef: stringifyEntityRef(entity),
      by: nameOf(credentials),
      credentials,
      ownership: () => (ownership ??= this.ownership.of(entity)),
      isOf: async owners => {
        if (!isPerson(credentials)) return false;
        belongings ??= this.ownership.belongings(credentials);
        const all = await belongings;
        return owners.some(owner => all.has(owner));
      },
    };
  }

  private async seen(
    cluster: Cluster,
    credentials: BackstageCredentials,
  ): Promise<Entity> {
    const ref = 'ref' in cluster ? cluster.ref : await cluster.refOf();
    const entity =
      ref && (await this.catalog.getEntityByRef(ref, { credentials }));
    if (entity) return entity;
    throw 'ref' in cluster ? clusterUnknown(cluster.ref) : cluster.unknown();
  }
}

function clusterUnknown(clusterRef: string) {
  return new ClusterBackupError({
    code: 'cluster-unknown',
    message: `There is no ${clusterRef} in the catalog, or you may not see it.`,
    state: NOTHING_CHANGED,
    remedy: 'Look for the cluster in the catalog.',
  });
}

function notOwner(
  clusterRef: string,
  ownersMay: string,
  { owners, next }: ClusterOwnership,
) {
  const only = `Only owners of ${clusterRef} may ${ownersMay}`;
  const change = next
    ? ` The catalog says since ${next.since} that it is of ${
        next.owners.join(', ') || 'nobody'
      }; that counts from ${next.countsFrom}.`
    : '';
  return new ClusterBackupError({
    code: 'not-owner',
    message: owners.length
      ? `${only}: ${owners.join(', ')}.${change}`
      : `${only}, and it has none.${change}`,
    state: NOTHING_CHANGED,
    remedy: owners.length
      ? 'Ask one of them.'
      : "Set spec.owner of the cluster's entity.",
    details: { owners },
  });
}
