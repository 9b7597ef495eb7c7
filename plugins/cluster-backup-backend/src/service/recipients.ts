import {
  challengeRecipient,
  ClusterBackupError,
  isAnswer,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import { Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { clusterPath, refOf } from './clusterPath';
import { parse } from './parse';
import { RouterOptions } from './RouterOptions';

const challengeShape = z.object({ recipient: z.string() }).strict();
const proofShape = z
  .object({
    recipient: z.string(),
    expiresAt: z.string(),
    answer: z.string().max(200),
  })
  .strict();

/** How people show that they can still open backups, with an identity that never comes here. */
export function recipientRoutes(options: RouterOptions): Router {
  const { authority, clusters, recipientProofs } = options;
  const router = PromiseRouter();

  router.post(
    `${clusterPath}/recipient-challenges`,
    async (request, response) => {
      const challenge = await authority.perform(
        request,
        {
          event: 'recipient-challenge',
          right: 'create',
          cluster: { ref: refOf(request) },
        },
        async ({ by }) => {
          const { recipient } = parse(challengeShape, request.body);
          refuseUnknown(recipient);
          const { expiresAt, sealed } = await challengeRecipient(
            recipient,
            by,
            await clusters.signingKey(),
          );
          return { recipient, expiresAt, sealed };
        },
      );
      response.json(challenge);
    },
  );

  router.post(`${clusterPath}/recipient-proofs`, async (request, response) => {
    const proof = await authority.perform(
      request,
      {
        event: 'recipient-prove',
        right: 'create',
        cluster: { ref: refOf(request) },
      },
      async ({ by }) => {
        const { answer, ...asked } = parse(proofShape, request.body);
        refuseUnknown(asked.recipient);
        const key = await clusters.signingKey();
        if (!isAnswer({ ...asked, by }, answer, key)) throw notAnswered();
        return recipientProofs.record(asked.recipient, by);
      },
    );
    response.json(proof);
  });

  function refuseUnknown(recipient: string) {
    if (clusters.recipients.includes(recipient)) return;
    throw new ClusterBackupError({
      code: 'recipient-unknown',
      message: 'Backups are not encrypted to this recipient.',
      state: NOTHING_CHANGED,
      remedy: 'Choose one of those that are configured.',
    });
  }

  return router;
}

function notAnswered() {
  return new ClusterBackupError({
    code: 'request-invalid',
    message: 'This does not answer the challenge, or it comes too late.',
    state: 'Nothing was recorded.',
    remedy: 'Begin again, and give the identity within a quarter of an hour.',
  });
}
