export type { MsalRemainsFound, MsalRemainsOptions } from './remains.ts'
export { msalRemains } from './remains.ts'
