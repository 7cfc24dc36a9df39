import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { testAdapter } from '#coatcheck/testing/adapter'
import { startExpress } from './express-application.ts'

// Required, not imported: two majors cannot both have the types of `@types/express`.
const express4 = createRequire(import.meta.url)('express4')

describe('Express 4', () => {
  testAdapter(it, startExpress(express4))
})
