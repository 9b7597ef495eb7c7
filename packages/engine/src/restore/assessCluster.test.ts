import { withAdvice } from './assessCluster';

type Facts = Parameters<typeof withAdvice>[0];

const well: Facts = {
  apiServers: { ready: ['cp1', 'cp2', 'cp3'], notReady: [] },
  members: { answering: ['cp1', 'cp2', 'cp3'], silent: [] },
  hasQuorum: true,
  survivors: [],
  unread: [],
};
const down = { ready: [], notReady: ['cp1', 'cp2', 'cp3'] };
const runs = { member: 'cp1', revision: 7 };
const stopped = {
  member: 'cp2',
  revision: 9,
  data: { path: '/db', size: 1, revision: 9 },
};
const alone = {
  ...well,
  apiServers: down,
  members: { answering: ['cp1'], silent: ['cp2', 'cp3'] },
  hasQuorum: false,
};

it.each<[string, Facts, string, string]>([
  ['nothing', well, 'nothing-to-restore', 'single objects'],
  [
    'what keeps one API server down',
    { ...well, apiServers: { ready: ['cp1'], notReady: ['cp2'] } },
    'nothing-to-restore',
    'cp2',
  ],
  [
    'the API servers, where all data is there',
    { ...well, apiServers: down },
    'start-api-servers',
    'cp1, cp2 and cp3',
  ],
  [
    'the members that have a quorum between them',
    { ...alone, survivor: stopped, survivors: [runs, stopped] },
    'start-members',
    'Start cp2',
  ],
  [
    'a survivor, where there is no quorum to be had',
    { ...alone, survivor: runs, survivors: [runs] },
    'back-up-survivor',
    '--without-quorum',
  ],
  [
    'the newest backup, where no data is left',
    { ...alone, members: { answering: [], silent: ['cp1', 'cp2', 'cp3'] } },
    'restore-backup',
    'newest',
  ],
  [
    'a machine that could not be looked at before the newest backup',
    {
      ...alone,
      members: { answering: [], silent: ['cp1'] },
      unread: [{ machine: 'cp2', message: 'off' }],
    },
    'restore-backup',
    'cp2',
  ],
])('points to %s', (_, facts, advice, named) => {
  const found = withAdvice(facts);
  expect(found.advice).toBe(advice);
  expect(found.remedy).toContain(named);
});
