import { readFileSync } from 'node:fs';

/** What the runtime holds, an image a line. */
export const IMAGES_FILE = '/var/lib/lab/images';

/** Which kubelet the machine has. */
export const KUBELET_VERSION_FILE = '/var/lib/lab/kubelet-version';

export function installedImages(): string[] {
  return readFileSync(IMAGES_FILE, 'utf8').split('\n').filter(Boolean);
}

export function kubeletVersion(): string {
  return readFileSync(KUBELET_VERSION_FILE, 'utf8').trim();
}
