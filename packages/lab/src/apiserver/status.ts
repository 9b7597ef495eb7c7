/** What the API answers when it can not do what was asked: a metav1 Status. */
export class StatusError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: object,
  ) {
    super(message);
    this.name = 'StatusError';
  }

  toStatus() {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

interface Subject {
  group: string;
  plural: string;
}

function named(subject: Subject, name: string) {
  const resource = subject.group
    ? `${subject.plural}.${subject.group}`
    : subject.plural;
  return {
    text: `${resource} "${name}"`,
    details: {
      name,
      ...(subject.group && { group: subject.group }),
      kind: subject.plural,
    },
  };
}

export function notFound(subject: Subject, name: string) {
  const { text, details } = named(subject, name);
  return new StatusError(404, 'NotFound', `${text} not found`, details);
}

export function alreadyExists(subject: Subject, name: string) {
  const { text, details } = named(subject, name);
  return new StatusError(
    409,
    'AlreadyExists',
    `${text} already exists`,
    details,
  );
}

export function conflict(subject: Subject, name: string, why?: string) {
  const { text, details } = named(subject, name);
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${text}: ${
      why ??
      'the object has been modified; please apply your changes to the latest version and try again'
    }`,
    details,
  );
}

export function badRequest(message: string) {
  return new StatusError(400, 'BadRequest', message);
}

export function invalid(message: string) {
  return new StatusError(422, 'Invalid', message);
}

export function expired(message: string) {
  return new StatusError(410, 'Expired', message);
}

export function forbidden(message: string) {
  return new StatusError(403, 'Forbidden', message);
}

export function unknownPath() {
  return new StatusError(
    404,
    'NotFound',
    'the server could not find the requested resource',
    {},
  );
}

/** Whatever went wrong, as the API says it. */
export function asStatusError(error: any): StatusError {
  if (error instanceof StatusError) return error;
  const message = error?.details || error?.message || String(error);
  return error?.code === 4
    ? new StatusError(504, 'Timeout', `etcd: ${message}`)
    : new StatusError(
        500,
        'InternalError',
        `Internal error occurred: ${message}`,
      );
}
