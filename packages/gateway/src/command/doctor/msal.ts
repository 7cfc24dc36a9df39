import { type MsalRemainsFound, msalRemains } from 'coatcheck/msal'
import type {
  GatewayConfiguration,
  MsalCacheConfiguration,
} from '../../configuration/configuration.ts'
import { type OpenedRedis, openRedis } from '../../configuration/open-redis.ts'
import { probe } from '../probe.ts'
import { addressesOfRedis, serverFailureText } from '../store-failure.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** Each cache of Microsoft's libraries: whether it answers, and what a sign-out could see in it. */
export async function examineMsal({ msal = [] }: GatewayConfiguration): Promise<Finding[]> {
  return Promise.all(msal.map(examine))
}

/** No user has it, so that looking for it changes nothing. */
const NOBODY = 'coatcheck-doctor'
const PATIENCE_SECONDS = 5

async function examine({ name, servers, keys }: MsalCacheConfiguration): Promise<Finding> {
  const about = name
  const addresses = addressesOfRedis(servers)
  let trouble: () => string | undefined = () => undefined
  try {
    // The driver goes on trying, and does not say why.
    const away = await probe(addresses)
    if (away !== undefined) throw Object.assign(new Error('It is away.'), { code: away })
    const opened = await openRedis(servers)
    trouble = opened.trouble
    const found = await look(opened, keys)
    if (found.unreadable > 0) {
      return warning(
        about,
        `${found.unreadable} of its ${found.keys} entries cannot be read: tokens in them stay at a sign-out. Look whether \`Encrypt\` is off, and whether \`keys\` fit nothing else.`,
      )
    }
    if (found.keys === 0 && !keys.every((key) => key.includes('{account}'))) {
      return warning(
        about,
        'It answers, and has no entry under `keys`: compare them with `InstanceName` of the application, unless nobody is signed in there.',
      )
    }
    return fine(about, 'It answers.')
  } catch (error) {
    return problem(
      about,
      `${await serverFailureText(addresses, error, 'msal', trouble())} Tokens of who signs out stay there until it answers.`,
    )
  }
}

async function look(
  { client, close }: OpenedRedis,
  keys: readonly string[],
): Promise<MsalRemainsFound> {
  try {
    return await new Promise<MsalRemainsFound>((resolve, reject) => {
      const place = msalRemains(client, {
        keys,
        accounts: () => [NOBODY],
        withinSeconds: PATIENCE_SECONDS,
        observe: resolve,
      })
      const ended = { receipt: NOBODY, cause: 'administrator', at: 0, named: [], sessions: [] }
      place.end(ended as Parameters<typeof place.end>[0], AbortSignal.timeout(60_000)).catch(reject)
    })
  } finally {
    close()
  }
}
