import { generateKeyPairSync } from 'node:crypto';
import { Decrypter } from 'age-encryption';
import { challengeRecipient, isAnswer } from './challenge';
import { generateAgeKey } from './encryption';

const { privateKey: signingKey } = generateKeyPairSync('ed25519');
const BY = 'user:default/ops';

async function answered() {
  const { identity, recipient } = await generateAgeKey();
  const { sealed, ...challenge } = await challengeRecipient(
    recipient,
    BY,
    signingKey,
  );
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const answer = await decrypter.decrypt(Buffer.from(sealed, 'base64'), 'text');
  return { challenge, answer };
}

it('is answered by who holds the identity', async () => {
  const { challenge, answer } = await answered();
  expect(isAnswer(challenge, answer, signingKey)).toBe(true);
});

it.each([
  ['another recipient', { recipient: 'age1other' }],
  ['another person', { by: 'user:default/eve' }],
  ['a later end', { expiresAt: '2999-01-01T00:00:00.000Z' }],
  ['no time', { expiresAt: 'soon' }],
])('is not answered for %s', async (_, other) => {
  const { challenge, answer } = await answered();
  expect(isAnswer({ ...challenge, ...other }, answer, signingKey)).toBe(false);
});

it('is not answered too late, by a guess, or with another key', async () => {
  const { challenge, answer } = await answered();
  const another = generateKeyPairSync('ed25519').privateKey;
  expect(isAnswer(challenge, answer, another)).toBe(false);
  expect(isAnswer(challenge, '', signingKey)).toBe(false);
  expect(isAnswer(challenge, `A${answer.slice(1)}`, signingKey)).toBe(false);
  jest.useFakeTimers({ now: Date.parse(challenge.expiresAt) });
  try {
    expect(isAnswer(challenge, answer, signingKey)).toBe(false);
  } finally {
    jest.useRealTimers();
  }
});

it('refuses what is no recipient', async () => {
  await expect(
    challengeRecipient('age1nobody', BY, signingKey),
  ).rejects.toMatchObject({ code: 'recipient-invalid' });
});
