import type { BehindTheGateway } from './behind-the-gateway.ts'

/** How many sessions of its own an application says that it keeps. */
export async function ownSessions({ application }: BehindTheGateway): Promise<number> {
  return Number(await (await fetch(`${application.url}/sessions`)).text())
}
