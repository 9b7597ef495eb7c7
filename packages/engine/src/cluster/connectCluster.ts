import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { connectMachine, Machine, MachineAccess } from '../machine';
import { ClusterAccess, ClusterMachines } from './ClusterAccess';
import { LastResort, lookUpMachines } from './lookUpMachines';

/** A machine that was asked for, and what came of it. @public */
export interface MachineOutcome {
  access: MachineAccess;
  role: 'control-plane' | 'worker';
  machine?: Machine;
  /** Why there is no connection. */
  error?: ClusterBackupError;
}

/**
 * Connections to the machines of one cluster, whichever of them could be made.
 *
 * @public
 */
export interface ConnectedCluster {
  access: ClusterMachines;
  outcomes: MachineOutcome[];
  /** The connection to a machine; made anew when it was lost. */
  machine(name: string): Promise<Machine>;
  close(): Promise<void>;
}

/**
 * Looks up a cluster's machines where they are not configured, connects to every one at once, and keeps going when some
 * cannot be reached: judging that is a check's matter.
 *
 * @throws ClusterBackupError those of looking them up
 * @public
 */
export async function connectCluster(
  configured: ClusterAccess,
  options: { signal?: AbortSignal; lastResort?: LastResort } = {},
): Promise<ConnectedCluster> {
  const access = await lookUpMachines(configured, options).catch(error => {
    throw options.signal?.aborted ? cancelled(NOTHING_CHANGED) : error;
  });
  const outcomes: MachineOutcome[] = await Promise.all([
    ...access.controlPlane.map(a => connect(a, 'control-plane' as const)),
    ...access.workers.map(a => connect(a, 'worker' as const)),
  ]);

  async function connect(
    machineAccess: MachineAccess,
    role: MachineOutcome['role'],
  ): Promise<MachineOutcome> {
    try {
      const machine = await connectMachine(machineAccess, options);
      return { access: machineAccess, role, machine };
    } catch (error) {
      // The others end as well, and are closed below.
      if (options.signal?.aborted) return { access: machineAccess, role };
      if (!(error instanceof ClusterBackupError)) throw error;
      return { access: machineAccess, role, error };
    }
  }

  const close = async () => {
    await Promise.all(outcomes.map(outcome => outcome.machine?.close()));
  };

  if (options.signal?.aborted) {
    await close();
    throw cancelled(NOTHING_CHANGED);
  }

  return {
    access,
    outcomes,
    close,
    async machine(name) {
      const outcome = outcomes.find(o => o.access.name === name);
      if (!outcome) {
        throw new ClusterBackupError({
          code: 'machine-not-configured',
          message: `No machine named ${name} is configured for cluster ${access.name}.`,
          state: NOTHING_CHANGED,
          remedy: `Add ${name} to the machines of ${access.name} in the configuration.`,
          details: { cluster: access.name, machine: name },
        });
      }
      if (!outcome.machine || outcome.machine.lost.aborted) {
        outcome.machine = await connectMachine(outcome.access);
        outcome.error = undefined;
      }
      return outcome.machine;
    },
  };
}

/** What a person or a program asking to stop ends in. @public */
export function cancelled(state: string): ClusterBackupError {
  return new ClusterBackupError({
    code: 'cancelled',
    message: 'The operation was cancelled.',
    state,
    remedy: 'Start it again when you want it.',
  });
}
