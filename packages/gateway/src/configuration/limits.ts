import { z } from 'zod'
import type { GatewayConfiguration } from './configuration.ts'
import { allDefaults, isHeaderName, positive, text, whole } from './kinds.ts'

const BYTES = 'write a whole number of bytes'
const SECONDS = 'write a number of seconds above 0'
const SECTION = 'write an object with limits in it'

/** What a request may be and take. */
export const limits: z.ZodType<GatewayConfiguration['limits']> = allDefaults(
  z.strictObject(
    {
      requestBytes: whole(
        { what: 'The body of a request. It is never held in memory as a whole.', fix: BYTES },
        1,
      ).default(1_073_741_824),
      headerBytes: whole({ what: 'All headers of a request.', fix: BYTES }, 1024).default(32_768),
      headersSeconds: positive({
        what: 'To receive all headers of a request.',
        fix: SECONDS,
      }).default(10),
      requestSeconds: z
        .number(SECONDS)
        .min(0, 'write a number of seconds, or 0 for no limit')
        .default(0)
        .meta({ description: 'To receive all of a request; 0: as long as it takes.' }),
      upstreamSeconds: positive({
        what: 'To the first byte of the application’s answer.',
        fix: SECONDS,
      }).default(60),
      connections: whole(
        { what: 'Connections at a time.', fix: 'write how many, 1 or more' },
        1,
      ).default(10_000),
      streamCheckSeconds: positive({
        what: 'A stream or WebSocket of a user who signed out in another process is closed so soon.',
        fix: SECONDS,
      }).default(5),
    },
    SECTION,
  ),
).meta({ description: 'What a request may be and take.' })

/** What the headers with the user are called unless somebody writes another name: as oauth2-proxy does. */
export const HEADERS: Readonly<Record<keyof GatewayConfiguration['headers'], string>> = {
  user: 'X-Forwarded-User',
  email: 'X-Forwarded-Email',
  preferredUsername: 'X-Forwarded-Preferred-Username',
  groups: 'X-Forwarded-Groups',
  identity: 'X-Coatcheck-Identity',
}

function name(what: string, initial: string): z.ZodType<string> {
  const fix = 'write the name of an HTTP header, such as X-Forwarded-User'
  return text({ what, fix }, isHeaderName).default(initial)
}

/** Under which names applications read who is signed in. */
export const headers: z.ZodType<GatewayConfiguration['headers']> = allDefaults(
  z.strictObject(
    {
      user: name('The subject.', HEADERS.user),
      email: name('The e-mail address.', HEADERS.email),
      preferredUsername: name('The user’s name for itself.', HEADERS.preferredUsername),
      groups: name('Groups, separated by commas.', HEADERS.groups),
      identity: name('The signed JWT that says the same.', HEADERS.identity),
    },
    'write an object with names of headers in it',
  ),
).meta({ description: 'Under which names applications read who is signed in.' })
