// node audit.mjs SUBJECT …: is anything left of users who were signed out?
import { findRemains, lmdbContents } from 'coatcheck/testing'
import { open } from 'lmdb'

const { ISSUER = '', CLIENT_ID = '', KEY = '', DATA = './data' } = process.env

const remains = await findRemains({
  contents: lmdbContents(open({ path: DATA, readOnly: true })),
  keys: [KEY],
  issuer: ISSUER,
  clientId: CLIENT_ID,
  identities: process.argv.slice(2).map((subject) => ({ subject })),
})
console.log(JSON.stringify(remains, null, 2))
process.exitCode = remains.verdict === 'nothing_left' ? 0 : 1
