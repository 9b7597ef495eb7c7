import { kubeletVersion } from '../node/installed';
import { ToolFailure } from './ToolFailure';

/** `kubelet --version`; the kubelet itself runs as a service of the machine. */
export async function kubelet([flag]: string[]): Promise<number> {
  if (flag !== '--version') {
    throw new ToolFailure('Here the kubelet is started by systemctl only.');
  }
  process.stdout.write(`Kubernetes ${kubeletVersion()}\n`);
  return 0;
}
