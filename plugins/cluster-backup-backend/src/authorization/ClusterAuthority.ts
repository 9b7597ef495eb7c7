import {
  AuditorService,
  BackstageCredentials,
  BackstageUserPrincipal,
  HttpAuthService,
  PermissionsService,
  UserInfoService,
} from '@backstage/backend-plugin-api';
import {
  Entity,
  RELATION_OWNED_BY,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Request } from 'express';
import { Right, RIGHTS } from './rights';

/** Whoever was found to be allowed. */
export interface Allowed {
  entity: Entity;
  clusterRef: string;
  /** The person's entity; empty for a service, which may only read. */
  by: string;
  credentials: BackstageCredentials;
}

/** Answers whether this person may do this to this cluster, now; every answer is an audit event. */
export class ClusterAuthority {
  private readonly httpAuth: HttpAuthService;
  private readonly userInfo: UserInfoService;
  private readonly permissions: PermissionsService;
  private readonly catalog: CatalogService;
  private readonly auditor: AuditorService;
  private readonly requireOwnership: boolean;

  constructor(options: {
    httpAuth: HttpAuthService;
    userInfo: UserInfoService;
    permissions: PermissionsService;
    catalog: CatalogService;
    auditor: AuditorService;
    /** Whether only owners of a cluster restore and manage it. */
    requireOwnership: boolean;
  }) {
    this.httpAuth = options.httpAuth;
    this.userInfo = options.userInfo;
    this.permissions = options.permissions;
    this.catalog = options.catalog;
    this.auditor = options.auditor;
    this.requireOwnership = options.requireOwnership;
  }

  /**
   * Does what was asked for when whoever asks may; what came of it is told to the audit.
   *
   * @throws ClusterBackupError `cluster-unknown` where it is not known or not to be seen, `permission-missing`,
   * `not-owner`
   */
  async perform<T>(
    request: Request<any, any, any, any>,
    wanted: {
      event: string;
      right: Right;
      /** The cluster's entity; looked up from something else where the request does not name it. */
      clusterRef: string | (() => Promise<string>);
      meta?: Record<string, string>;
    },
    act: (allowed: Allowed) => Promise<T>,
  ): Promise<T> {
    const { event, right, clusterRef, meta } = wanted;
    const credentials = await this.httpAuth.credentials(request, {
      allow: right === 'read' ? ['user', 'service'] : ['user'],
    });
    const audited = await this.auditor.createEvent({
      eventId: event,
      severityLevel: RIGHTS[right].severity,
      request,
      meta: {
        ...meta,
        ...(typeof clusterRef === 'string' && { clusterRef }),
      },
    });
    try {
      const entity = await this.entity(
        typeof clusterRef === 'string' ? clusterRef : await clusterRef(),
        credentials,
      );
      const allowed: Allowed = {
        entity,
        clusterRef: stringifyEntityRef(entity),
        by: nameOf(credentials),
        credentials,
      };
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
    { entity, credentials }: Allowed,
    right: Right,
  ): Promise<ClusterBackupError | undefined> {
    const { permission, ownersMay } = RIGHTS[right];
    const resourceRef = stringifyEntityRef(entity);
    if (right !== 'read' && !isPerson(credentials)) {
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
    const isOwnersOnly = this.requireOwnership && ownersMay !== undefined;
    if (!isOwnersOnly || (await this.isOwner(entity, credentials))) {
      return undefined;
    }
    const owners = ownersOf(entity);
    return new ClusterBackupError({
      code: 'not-owner',
      message: owners.length
        ? `Only owners of ${resourceRef} may ${ownersMay}: ${owners.join(
            ', ',
          )}.`
        : `Only owners of ${resourceRef} may ${ownersMay}, and it has none.`,
      state: NOTHING_CHANGED,
      remedy: owners.length
        ? 'Ask one of them.'
        : "Set spec.owner of the cluster's entity.",
      details: { owners },
    });
  }

  private async entity(
    clusterRef: string,
    credentials: BackstageCredentials,
  ): Promise<Entity> {
    const entity = await this.catalog.getEntityByRef(clusterRef, {
      credentials,
    });
    if (entity) return entity;
    throw new ClusterBackupError({
      code: 'cluster-unknown',
      message: `There is no ${clusterRef} in the catalog, or you may not see it.`,
      state: NOTHING_CHANGED,
      remedy: 'Look for the cluster in the catalog.',
    });
  }

  private async isOwner(entity: Entity, credentials: BackstageCredentials) {
    const { ownershipEntityRefs } = await this.userInfo.getUserInfo(
      credentials,
    );
    const owners = ownersOf(entity);
    return ownershipEntityRefs.some(ref =>
      owners.includes(ref.toLocaleLowerCase('en-US')),
    );
  }
}

function ownersOf(entity: Entity): string[] {
  return (entity.relations ?? [])
    .filter(({ type }) => type === RELATION_OWNED_BY)
    .map(({ targetRef }) => targetRef.toLocaleLowerCase('en-US'));
}

function isPerson(
  credentials: BackstageCredentials,
): credentials is BackstageCredentials<BackstageUserPrincipal> {
  const { type } = credentials.principal as { type?: string };
  return type === 'user';
}

/** What is done is done by persons; a service that reads leaves no name. */
function nameOf(credentials: BackstageCredentials): string {
  return isPerson(credentials) ? credentials.principal.userEntityRef : '';
}
