import { LoggerService } from '@backstage/backend-plugin-api';
import { Entity } from '@backstage/catalog-model';
import { NotificationService } from '@backstage/plugin-notifications-node';
import { Ownership } from '../authorization/Ownership';

/** Tells the owners of a cluster something that they should not have to look for. */
export type NotifyOwners = (
  entity: Entity,
  notice: {
    title: string;
    description: string;
    severity: 'normal' | 'critical';
    /** Who did it, and knows. */
    except: string;
  },
) => Promise<void>;

/** Where there are no notifications, or none get through, the log has them; what they tell of is done all the same. */
export function ownersNotifier(deps: {
  notifications: NotificationService;
  ownership: Ownership;
  logger: LoggerService;
}): NotifyOwners {
  const { notifications, ownership, logger } = deps;
  return async (entity, { title, description, severity, except }) => {
    const { kind, metadata } = entity;
    const { namespace = 'default', name } = metadata;
    const { owners } = await ownership.of(entity);
    if (!owners.length) return;
    try {
      await notifications.send({
        recipients: {
          type: 'entity',
          entityRef: owners,
          excludeEntityRef: except,
        },
        payload: {
          title,
          description,
          severity,
          topic: 'cluster-backup',
          link: `/catalog/${namespace}/${kind}/${name}/backup`.toLocaleLowerCase(
            'en-US',
          ),
        },
      });
    } catch (error) {
      logger.warn(
        `${owners.join(', ')} could not be notified (${title}): ${
          (error as Error).message
        }`,
      );
    }
  };
}
