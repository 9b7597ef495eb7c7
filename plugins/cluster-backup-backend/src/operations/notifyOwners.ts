import { LoggerService } from '@backstage/backend-plugin-api';
import { Entity, stringifyEntityRef } from '@backstage/catalog-model';
import {
  NotificationSendOptions,
  NotificationService,
} from '@backstage/plugin-notifications-node';
import { Ownership } from '../authorization/Ownership';

interface Notifying {
  notifications: NotificationService;
  logger: LoggerService;
}

/** Tells the owners of a cluster something that they should not have to look for. */
export type NotifyOwners = (
  entity: Entity,
  notice: {
    title: string;
    description: string;
    severity: 'low' | 'normal' | 'high' | 'critical';
    /** A later notice of the same takes the place of this one. */
    topic?: string;
    /** Who did it, and knows. */
    except?: string;
  },
) => Promise<void>;

/** Where there are no notifications, or none get through, the log has them; what they tell of is done all the same. */
export async function notify(
  { notifications, logger }: Notifying,
  owners: string[],
  payload: NotificationSendOptions['payload'],
  except?: string,
): Promise<void> {
  if (!owners.length) return;
  try {
    await notifications.send({
      recipients: {
        type: 'entity',
        entityRef: owners,
        ...(except && { excludeEntityRef: except }),
      },
      payload,
    });
  } catch (error) {
    logger.warn(
      `${owners.join(', ')} could not be notified (${payload.title}): ${
        (error as Error).message
      }`,
    );
  }
}

export function ownersNotifier(
  deps: Notifying & { ownership: Ownership },
): NotifyOwners {
  return async (entity, notice) => {
    const { title, description, severity, topic, except } = notice;
    const { kind, metadata } = entity;
    const { namespace = 'default', name } = metadata;
    const { owners } = await deps.ownership.of(entity);
    const link = `/catalog/${namespace}/${kind}/${name}/backup`;
    await notify(
      deps,
      owners,
      {
        title,
        description,
        severity,
        topic: topic ?? 'cluster-backup',
        ...(topic && { scope: stringifyEntityRef(entity) }),
        link: link.toLocaleLowerCase('en-US'),
      },
      except,
    );
  };
}
