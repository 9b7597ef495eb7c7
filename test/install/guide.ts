import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../portal/Portal';

/** The blocks of docs/install.md, which a test follows to the letter. */
export interface Guide {
  /** For a checkout of ours; `<portal>` is the portal's folder. */
  pack: string;
  resolutions: Record<string, string>;
  /** For the portal's root, one after the other. */
  add: string[];
  /** Before `backend.start()`. */
  backend: string;
  /** A whole one but for what is in `<>`. */
  configuration: string;
  entity: string;
}

export function readGuide(): Guide {
  const text = readFileSync(join(checkout, 'docs/install.md'), 'utf8');
  const blocks = (language: string) =>
    [
      ...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')),
    ].map(([, block]) => block);
  const [pack, add] = blocks('sh');
  const [json] = blocks('json');
  const [backend] = blocks('ts');
  const [configuration, entity] = blocks('yaml');
  return {
    pack: pack.trim(),
    resolutions: JSON.parse(json).resolutions,
    add: add.trim().split('\n'),
    backend,
    configuration,
    entity,
  };
}
