import { once } from 'node:events';
import { connect } from 'node:net';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Machine } from '../machine/Machine';

/** Where an API server is asked from. */
export type Dialer = Pick<Machine, 'name' | 'dial' | 'lost'>;

const PATIENCE_MS = 10_000;

/** Asks over this machine's own network. */
export const fromHere: Dialer = {
  name: 'this machine',
  lost: new AbortController().signal,
  async dial(host, port) {
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, 'connect', {
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return socket;
    } catch (error) {
      socket.destroy();
      throw new ClusterBackupError({
        code: 'dial-refused',
        message: `Nothing answers at ${host}:${port}: ${
          (error as NodeJS.ErrnoException).code ?? (error as Error).message
        }.`,
        state: NOTHING_CHANGED,
        remedy: `Look whether ${host}:${port} can be reached from here.`,
        details: { host, port },
      });
    }
  },
};
