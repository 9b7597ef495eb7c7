import { Call, LinkState } from '../protocol';

/**
 * Hinders the network of one machine. What concerns SSH from outside reaches connections that are already open
 * only in a lab that was started with `links: true`, and new ones always.
 *
 * @public
 */
export class LinkLevers {
  constructor(private readonly machine: string, private readonly call: Call) {}

  /** Bytes stop in both directions and connections stay open. New ones are accepted and hear nothing. */
  freeze(): Promise<void> {
    return this.set({ mode: 'frozen' });
  }

  /** Connections are reset and new ones refused. */
  cut(): Promise<void> {
    return this.set({ mode: 'cut' });
  }

  /** Each way takes half of `rttMs` and carries `bytesPerSecond` at most. */
  slow(pace: { rttMs?: number; bytesPerSecond?: number }): Promise<void> {
    return this.set({ mode: 'open', ...pace });
  }

  /** As it was at the start. */
  restore(): Promise<void> {
    return this.set({ mode: 'open' });
  }

  /** Takes the machine off the lab's own network: peers, front and workers no longer reach it, SSH does. */
  cutOff(): Promise<void> {
    return this.call('setPeerLink', { machine: this.machine, up: false });
  }

  /** Puts it back on the lab's network. */
  rejoin(): Promise<void> {
    return this.call('setPeerLink', { machine: this.machine, up: true });
  }

  private set(state: LinkState): Promise<void> {
    return this.call('setLink', { machine: this.machine, state });
  }
}
