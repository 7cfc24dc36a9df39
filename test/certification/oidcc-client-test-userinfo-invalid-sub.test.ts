import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`uses no UserInfo answer about somebody else, answered by ${responseMode} [COR-18]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('userinfo', ({ json }) => {
      json['sub'] = `${json['sub']}INVALID`
    })
    await assertRefused(app, { code: 'userinfo_invalid', userInfo: 1 })
  })
}
