import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FromSupervisor, SupervisorMethods, ToSupervisor } from '../protocol';
import { LabSupervisor } from './LabSupervisor';

/**
 * Holds a lab for the process that started it, and takes it down when asked or when that process is gone, however
 * it went.
 */
function main(): void {
  let supervisor: LabSupervisor | undefined;
  let starting: Promise<unknown> = Promise.resolve();
  const tell = (message: FromSupervisor) => {
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  const end = async (code: number) => {
    supervisor?.giveUp();
    await starting;
    await supervisor?.stop();
    process.exit(code);
  };
  process.on('disconnect', () => end(0));
  // Ctrl-C reaches the whole group of the terminal; the one that started us decides.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => end(0));

  const start = async (
    options: Extract<ToSupervisor, { start: any }>['start'],
  ) => {
    try {
      supervisor = new LabSupervisor(options);
      await mkdir(join(options.directory, 'scratch'), { recursive: true });
      process.env.TMPDIR = join(options.directory, 'scratch');
      tell({ started: await supervisor.start() });
    } catch (error) {
      tell({ failed: (error as Error).message });
      await supervisor?.stop();
      process.exit(1);
    }
  };

  const answer = async (
    id: number,
    method: keyof SupervisorMethods,
    parameters: any,
  ) => {
    try {
      if (!supervisor) throw new Error('The lab was not started.');
      const result = await supervisor.methods[method](parameters);
      tell({ id, result });
    } catch (error) {
      tell({ id, error: (error as Error).message });
    }
  };

  process.on('message', (message: ToSupervisor) => {
    if ('start' in message) starting = start(message.start);
    else answer(message.id, message.method, message.parameters);
  });
}

main();
