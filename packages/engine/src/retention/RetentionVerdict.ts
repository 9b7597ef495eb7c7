import { Hold } from '../copies';
import { RetainableBackup } from './RetainableBackup';

/**
 * Something that keeps a backup.
 *
 * - `hold`: somebody wants it kept.
 * - `lock`: a store lets nobody remove a copy of it.
 * - `needed`: a restore of it is under way, or asked for.
 * - `found`: it was found in a store, and nobody has said since that the rule is for it too.
 * - `ahead-of-clock`: it bears a time that is yet to come.
 * - `newest-verified`, `newest-drilled`: nothing newer is known to be as good.
 * - `nothing-newer-verified`: it is newer than the newest that is verified, or there is none.
 * - `before-restore`: what a restore replaced is kept for some time.
 * - `age`, `last`, `daily`, `weekly`, `monthly`: the rule's number of that name.
 *
 * @public
 */
export type Keeper =
  | { by: 'hold'; hold: Hold }
  | { by: 'lock'; until: Date }
  | {
      by:
        | 'needed'
        | 'found'
        | 'ahead-of-clock'
        | 'newest-verified'
        | 'newest-drilled'
        | 'nothing-newer-verified'
        | 'last';
    }
  | { by: 'before-restore' | 'age'; until: Date }
  | {
      by: 'daily' | 'weekly' | 'monthly';
      /** That it is the newest of: `2026-11-22`, `2026-W47`, `2026-11`. */
      period: string;
    };

/** What becomes of one backup. @public */
export interface RetentionVerdict<Backup extends RetainableBackup> {
  backup: Backup;
  /** All that keeps it, the strongest first. When there is nothing it goes. */
  keptBy: Keeper[];
  /**
   * Why the rule does not keep it; something else may. `expired`: it is too old for any number of the rule.
   * `before-restore-over`: it was made before a restore, and its time is over. `not-in-rule`: no number of the rule has
   * it. Absent where the rule keeps it.
   */
  ended?: 'expired' | 'before-restore-over' | 'not-in-rule';
  /**
   * When it may go, as things are: now, or when all that keeps it has ended. Absent where that takes a person, or another
   * backup.
   */
  mayGoAt?: Date;
  /** From then on no number of the rule keeps it. */
  expiresAt: Date;
}
