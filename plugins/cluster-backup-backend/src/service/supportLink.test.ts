import { mockServices } from '@backstage/backend-test-utils';
import { supportLink } from './supportLink';

const read = (section?: object) =>
  supportLink(
    mockServices.rootConfig({
      data: { clusterBackup: section && { supportLink: section } },
    }),
  );

it('is what is configured', () => {
  expect(read()).toBeUndefined();
  expect(read({ url: 'https://help.example.com/gdc' })).toEqual({
    url: 'https://help.example.com/gdc',
  });
  const mail = { url: 'mailto:care@example.com', title: 'Customer Care' };
  expect(read(mail)).toEqual(mail);
});

// eslint-disable-next-line no-script-url
it.each(['javascript:alert(1)', 'data:text/html,x', 'help', '/docs'])(
  'is no %s',
  url => {
    expect(() => read({ url })).toThrow(
      expect.objectContaining({ code: 'configuration-wrong' }),
    );
  },
);
