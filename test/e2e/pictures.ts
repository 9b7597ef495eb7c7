import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Page } from 'playwright-core';

const folder = join(__dirname, 'pictures');

export const WIDE = { width: 1360, height: 900 };
const NARROW = { width: 420, height: 900 };

/** Keeps what a person sees at a step of a story, from top to bottom. */
export async function keepPicture(
  page: Page,
  name: string,
  narrow: boolean,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const sizes = { wide: WIDE, ...(narrow && { narrow: NARROW }) };
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    // A window as high as the page: what sticks to the window's edges would lie across a longer picture.
    const height = await page.evaluate('document.body.scrollHeight');
    await page.setViewportSize({
      ...viewport,
      height: Math.max(viewport.height, Number(height)),
    });
    const path = join(folder, `${name}-${size}.png`);
    await page.screenshot({ path, animations: 'disabled' });
  }
  await page.setViewportSize(WIDE);
}

/** A4 at 96 dots an inch. */
const PAPER = { width: 794, height: 1123 };

/** Keeps what a person sees on paper, from top to bottom. */
export async function keepPrint(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize(PAPER);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  await page.emulateMedia({ media: null });
  await page.setViewportSize(WIDE);
}
