/** Whether a script asks rather than a browser. */
export function wantsJson(accept: string | undefined): boolean {
  return accept?.includes('application/json') ?? false
}
