import type Express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import helmet from 'helmet'
import { askToSignIn, expressAuth, requireSession } from '#coatcheck/adapters/express'
import type { AdapterSetup, RunningApplication } from '#coatcheck/testing/adapter'
import { listen } from './listen.ts'

/** The application of the kit on Express, 4 or 5. */
export function startExpress(
  express: typeof Express,
): (setup: AdapterSetup) => Promise<RunningApplication> {
  return ({ auth, bodyParser, securityHeaders, stream }) => {
    const app = express()
    if (securityHeaders) app.use(helmet({ crossOriginEmbedderPolicy: true }))
    if (bodyParser === 'form') app.use(express.urlencoded({ extended: true }), express.json())
    if (bodyParser === 'text') app.use(express.text({ type: '*/*' }))
    if (bodyParser === 'lost') app.use(readAndForget)
    app.use(expressAuth(auth))

    app.get('/hello', (_request, response) => {
      response.send('hello')
    })
    app.post('/echo', (request, response) => {
      request.pipe(response)
    })
    app.get('/stream', async (_request, response) => {
      for await (const piece of stream()) response.write(piece)
      response.end()
    })
    app.get('/account/cached', requireSession(auth), (_request, response) => {
      response.set('cache-control', 'private, max-age=60').send(response.locals.session.subject)
    })
    app.all('/account', requireSession(auth), (_request, response) => {
      response.send(response.locals.session.subject)
    })
    app.get('/orders', (request, response, next) => {
      auth.accessToken(request).then((token) => response.send(token.value), next)
    })
    app.use(askToSignIn(auth))
    app.use(answerError)
    return listen(app)
  }
}

const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(500).type('text').send(`framework: ${error.message}`)
}

const readAndForget: RequestHandler = (request, _response, next) => {
  request.on('end', next).resume()
}
