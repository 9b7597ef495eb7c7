import fc from 'fast-check';
import { flag, flagList, parseFlags } from './flags';

const name = fc.stringMatching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
const value = fc.string().filter(text => !text.startsWith('-'));

describe('parseFlags', () => {
  it('reads a flag the same in one word and in two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value, fc.boolean(), fc.boolean())),
        given => {
          const words = given.flatMap(([key, text, joined, short]) => {
            const dashed = `${short ? '-' : '--'}${key}`;
            return joined ? [`${dashed}=${text}`] : [dashed, text];
          });
          const flags = parseFlags(['program', ...words]);
          for (const [key] of given) {
            expect(flags.get(key)).toEqual(
              given.filter(([other]) => other === key).map(([, text]) => text),
            );
          }
          expect(flags.size).toBe(new Set(given.map(([key]) => key)).size);
        },
      ),
    );
  });

  it('takes the last value, switches and lists', () => {
    const flags = parseFlags([
      ...['etcd', '--name=a', '--client-cert-auth', '--name', 'b'],
      ...['--listen-client-urls=https://a:1, https://b:2,', '--empty='],
    ]);
    expect(flag(flags, 'name')).toBe('b');
    expect(flag(flags, 'client-cert-auth')).toBe('true');
    expect(flag(flags, 'empty')).toBe('');
    expect(flag(flags, 'other')).toBeUndefined();
    expect(flagList(flags, 'listen-client-urls')).toEqual([
      'https://a:1',
      'https://b:2',
    ]);
  });
});
