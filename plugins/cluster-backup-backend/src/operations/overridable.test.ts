import { overridableRefusals } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { OVERRIDABLE } from '@cluster-backup/engine';

it('offers what the engine lets a person override', () =>
  expect([...overridableRefusals].sort()).toEqual(
    Object.keys(OVERRIDABLE).sort(),
  ));
