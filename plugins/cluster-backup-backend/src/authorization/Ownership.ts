import {
  AuthService,
  BackstageCredentials,
  BackstageUserPrincipal,
  UserInfoService,
} from '@backstage/backend-plugin-api';
import {
  Entity,
  RELATION_OWNED_BY,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { ClusterOwnership } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterOwners } from '../database/ClusterOwners';
import { belongsTo, lowerCase } from './memberships';

/** Whose a cluster is, as far as rights count it, and who is of them. */
export class Ownership {
  private readonly directory: { catalog: CatalogService; auth: AuthService };
  private readonly userInfo: UserInfoService;
  private readonly record: ClusterOwners;
  private readonly pinned: Map<string, string[]>;

  constructor(options: {
    catalog: CatalogService;
    auth: AuthService;
    userInfo: UserInfoService;
    record: ClusterOwners;
    /** By the cluster's entity. */
    pinned: Map<string, string[]>;
  }) {
    const { catalog, auth } = options;
    this.directory = { catalog, auth };
    this.userInfo = options.userInfo;
    this.record = options.record;
    this.pinned = options.pinned;
  }

  async of(entity: Entity): Promise<ClusterOwnership> {
    const clusterRef = stringifyEntityRef(entity);
    const pinned = this.pinned.get(clusterRef);
    if (pinned) return { owners: pinned, isPinned: true };
    const seen = (entity.relations ?? [])
      .filter(({ type }) => type === RELATION_OWNED_BY)
      .map(({ targetRef }) => lowerCase(targetRef));
    const { owners, next } = await this.record.see(clusterRef, seen);
    return { owners, isPinned: false, next };
  }

  /** A person, and every group that the person is of, directly or by a group within it. */
  async belongings(
    credentials: BackstageCredentials<BackstageUserPrincipal>,
  ): Promise<Set<string>> {
    const { userEntityRef, ownershipEntityRefs } =
      await this.userInfo.getUserInfo(credentials);
    return belongsTo([userEntityRef, ...ownershipEntityRefs], this.directory);
  }

  isPinned(clusterRef: string): boolean {
    return this.pinned.has(clusterRef);
  }
}
