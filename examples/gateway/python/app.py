# An application behind the gateway: it signs nobody in and keeps no OAuth token.
# Debian's python3-flask and, to verify what the gateway signed, python3-jwt and python3-cryptography.
import os
import time
from threading import Lock
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt
from flask import Flask, Response, json, request

ORIGIN = os.environ.get('GATEWAY', 'http://127.0.0.1:8080')
TOKENS = os.environ.get('TOKENS', 'http://127.0.0.1:8081')
API = os.environ.get('API', 'http://127.0.0.1:5000')
keys = jwt.PyJWKClient(f'{TOKENS}/.well-known/jwks.json')
# Sessions of its own: visits by user and session of the gateway. ENDED stays, so that no late request begins one again.
own, lock, ENDED = {}, Lock(), float('-inf')
app = Flask(__name__)


@app.get('/')
def who():
    # Nobody but the gateway reaches this port, so its headers can be believed.
    claims = verified(request.headers['X-Coatcheck-Identity'], 'JWT')
    key = claims['sub'], claims['sid']
    with lock:
        own[key] = visits = own.get(key, 0) + 1
    if visits == ENDED:
        return Response(status=401)
    return Response(f'{request.headers["X-Forwarded-User"]} is signed in. Visits: {visits}', mimetype='text/plain')


@app.get('/coats')
def coats():
    # Calls an API for the user; the gateway gives the token until the user signs out.
    token = json.loads(ask(f'{TOKENS}/token', request.headers['X-Coatcheck-Identity']))
    return Response(ask(f'{API}/coats', token['access_token']), mimetype='application/json')


@app.get('/events')
def events():
    # Goes on until the gateway closes it.
    def coats_that_come():
        while True:
            yield 'data: a coat\n\n'
            time.sleep(0.5)
    return Response(coats_that_come(), mimetype='text/event-stream')


@app.get('/sessions')
def sessions():
    return str(sum(visits != ENDED for visits in own.values()))


@app.post('/backchannel-logout')
def backchannel_logout():
    # The user signed out, here or anywhere.
    logout = verified(request.form['logout_token'], 'logout+jwt')
    with lock:
        for key in [*own, (logout['sub'], logout.get('sid'))]:
            if key[0] == logout['sub'] and logout.get('sid') in (None, key[1]):
                own[key] = ENDED
    return ''


def verified(token, kind):
    """The claims of a JWT that the gateway signed for this application."""
    if jwt.get_unverified_header(token).get('typ') != kind:
        raise jwt.InvalidTokenError
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, ['ES256'], audience='python', issuer=ORIGIN, options={'require': ['exp']})


def ask(url, bearer):
    return urlopen(Request(url, headers={'Authorization': f'Bearer {bearer}'})).read()


app.register_error_handler(HTTPError, lambda error: Response(status=error.code))
app.register_error_handler(jwt.PyJWTError, lambda _: Response(status=400))
app.run(port=int(os.environ.get('PORT', '5003')), threaded=True)
