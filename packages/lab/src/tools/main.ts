import { crictl } from './crictl';
import { ctr } from './ctr';
import { kubelet } from './kubelet';
import { systemctl } from './systemctl';
import { ToolFailure } from './ToolFailure';

const tools: Record<string, (argv: string[]) => Promise<number>> = {
  crictl,
  systemctl,
  ctr,
  kubelet,
};

/** The programs of a node that speak to its runtime, kubelet and services. */
async function main([name, ...argv]: string[]): Promise<void> {
  try {
    process.exitCode = await tools[name](argv);
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

main(process.argv.slice(2));
