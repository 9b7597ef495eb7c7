import {
  BackstageCredentials,
  BackstageServicePrincipal,
  BackstageUserPrincipal,
} from '@backstage/backend-plugin-api';

export function isPerson(
  credentials: BackstageCredentials,
): credentials is BackstageCredentials<BackstageUserPrincipal> {
  const { type } = credentials.principal as { type?: string };
  return type === 'user';
}

/** A person's entity, or what a service calls itself. */
export function nameOf(credentials: BackstageCredentials): string {
  return isPerson(credentials)
    ? credentials.principal.userEntityRef
    : (credentials.principal as BackstageServicePrincipal).subject;
}
