import { join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import { startPython } from '../servers/python.ts'
import type { ExampleApplication } from './behind-the-gateway.ts'

/** The files of the single-page application, served as the README of the examples says. */
export const singlePageApplication: ExampleApplication = {
  name: 'spa',
  start: () => startPython(['-m', 'http.server', 'PORT', '--bind', '127.0.0.1', ...FILES]),
}

const FILES = ['--directory', join(root, 'examples/gateway/spa')]
