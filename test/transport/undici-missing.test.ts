// States that the undici transport without undici fails its requests, and can be closed. A wrong bundle may have left it out.

import {undiciTransport} from '../../src/transport/undici.ts'
import {expect, it, vi} from 'vitest'

vi.mock('undici', () => {
  throw new Error('undici is not there')
})

it('fails each request, and closes without an error', async () => {
  const transport = undiciTransport()
  const request = {method: 'GET', url: 'http://127.0.0.1:1/', headers: {}}
  await expect(transport(request)).rejects.toThrow()
  await expect(transport(request)).rejects.toThrow()
  await expect(transport.close()).resolves.toBeUndefined()
})
