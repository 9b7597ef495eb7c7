import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Browser, chromium } from 'playwright-core';

/** The machine's own Chromium. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env
    .PATH!.split(delimiter)
    .map(folder => join(folder, 'chromium'))
    .find(existsSync);
  if (!executablePath) {
    throw new Error('There is no chromium on PATH; ./dev setup installs it.');
  }
  return chromium.launch({ executablePath });
}
