/** Ends a tool with a message on standard error. */
export class ToolFailure extends Error {
  constructor(message: string, readonly exitCode = 1) {
    super(message);
  }
}
