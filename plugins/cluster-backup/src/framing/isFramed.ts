/** Another page shows this one: whoever clicks may see something else than what is clicked. */
export function isFramed(): boolean {
  return window.self !== window.top;
}
