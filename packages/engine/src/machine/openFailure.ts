/** Why an SSH server does not open a channel (RFC 4254, 5.1). */
export const ADMINISTRATIVELY_PROHIBITED = 1;
export const CONNECT_FAILED = 2;
export const RESOURCE_SHORTAGE = 4;

/** The reason in an error of ssh2, where the server gave one. */
export function openFailureReason(error: unknown): number | undefined {
  const reason = (error as { reason?: unknown } | undefined)?.reason;
  return typeof reason === 'number' ? reason : undefined;
}

/** The server's own words, without those that ssh2 puts before them. */
export function openFailureText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^\(SSH\) Channel open failure: /, '');
}
