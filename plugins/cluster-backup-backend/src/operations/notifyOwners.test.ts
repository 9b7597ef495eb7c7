import { mockServices } from '@backstage/backend-test-utils';
import { clusterEntity } from '../__testUtils__/portal';
import { ownersNotifier } from './notifyOwners';

const entity = clusterEntity('Lab', 'group:default/platform');
const notice = {
  title: 'EMERGENCY',
  description: 'It was approved alone.',
  severity: 'critical' as const,
  except: 'user:default/ada',
};
const logger = mockServices.logger.mock();
const notifier = (send: jest.Mock, owners = ['group:default/platform']) =>
  ownersNotifier({
    notifications: { send },
    ownership: { of: async () => ({ owners, isPinned: false }) } as any,
    logger,
  });

it('tells all owners but who did it, and where to look', async () => {
  const send = jest.fn();
  await notifier(send)(entity, notice);
  expect(send.mock.calls).toEqual([
    [
      {
        recipients: {
          type: 'entity',
          entityRef: ['group:default/platform'],
          excludeEntityRef: 'user:default/ada',
        },
        payload: expect.objectContaining({
          severity: 'critical',
          link: '/catalog/default/resource/lab/backup',
        }),
      },
    ],
  ]);
  await notifier(send, [])(entity, notice);
  expect(send).toHaveBeenCalledTimes(1);
});

it('keeps nothing from being done when nobody can be told', async () => {
  const send = jest.fn().mockRejectedValue(new Error('no notifications'));
  await notifier(send)(entity, notice);
  expect(logger.warn).toHaveBeenCalledWith(
    expect.stringContaining('EMERGENCY'),
  );
});
