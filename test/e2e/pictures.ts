import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Page } from 'playwright-core';

const folder = join(__dirname, 'pictures');
const WIDE = { width: 1360, height: 1000 };
const NARROW = { width: 420, height: 900 };

/** Keeps what a person sees at a step of a story, in light and dark; a dialog by itself, a page from top to bottom. */
export async function keepPicture(
  page: Page,
  name: string,
  options: { narrow?: boolean } = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const sizes = { wide: WIDE, ...(options.narrow && { narrow: NARROW }) };
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const path = join(folder, `${name}-${size}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(WIDE);
}
