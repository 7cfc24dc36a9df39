/**
 * Checks what an application wants to send with every authorization request. What another option
 * says, and what is new for every sign-in, would have no effect here. Throws a `TypeError`.
 */
export function checkAuthorizationParameters(
  parameters: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(parameters)) {
    const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined
    if (instead !== undefined) {
      throw new TypeError(`\`authorizationParameters.${name}\` has no effect: ${instead}.`)
    }
    if (typeof value !== 'string') {
      throw new TypeError(`\`authorizationParameters.${name}\` must be text.`)
    }
  }
  const maxAge = parameters['max_age']
  if (maxAge !== undefined && !/^\d{1,9}$/.test(String(maxAge))) {
    throw new TypeError('`authorizationParameters.max_age` must be seconds, such as "3600".')
  }
  return parameters as Readonly<Record<string, string>>
}

const INSTEAD: Readonly<Record<string, string>> = {
  scope: 'write it as `scope`',
  resource: 'write it as `resources`',
  response_mode: 'write it as `responseMode`',
  client_id: 'write it as `provider.clientId`',
  redirect_uri: 'it follows from `origin` and `routes.callback`',
  response_type: 'it is always "code"',
  request: 'requests are sent as parameters or pushed',
  request_uri: 'write `provider.pushedAuthorizationRequests: true`',
  state: 'it is new for every sign-in',
  nonce: 'it is new for every sign-in',
  code_challenge: 'it is new for every sign-in',
  code_challenge_method: 'it is always "S256"',
}
