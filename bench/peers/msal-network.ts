import type { INetworkModule } from '@azure/msal-node'

/** MSAL wants https, and the provider on loopback has none. */
export const plainNetwork: INetworkModule = {
  sendGetRequestAsync: (url, options) => ask('GET', url, options?.headers),
  sendPostRequestAsync: (url, options) => ask('POST', url, options?.headers, options?.body),
}

async function ask<T>(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ headers: Record<string, string>; body: T; status: number }> {
  const response = await fetch(url.replace('https:', 'http:'), {
    method,
    headers,
    ...(body !== undefined && { body }),
  })
  return {
    headers: Object.fromEntries(response.headers),
    body: JSON.parse((await response.text()).replaceAll('"http://127', '"https://127')) as T,
    status: response.status,
  }
}
