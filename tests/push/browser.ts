import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  randomBytes,
  verify,
} from 'node:crypto'

// A browser with its push service, as far as a server meets them: what RFC 8291, 8188 and 8292 say, by the primitives alone.

export type Message = {
  path: string
  headers: Headers
  /** What the browser reads: undefined where it cannot. */
  text: string | undefined
  bytes: number
}

type Keys = { p256dh: string; auth: string }

/** A push service on this machine: where a browser is subscribed, and what has come for it. */
export function startPushService(answer: (path: string, count: number) => number = () => 201) {
  const messages: Message[] = []
  const browsers = new Map<string, { ecdh: ReturnType<typeof createECDH>; auth: Buffer }>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const path = new URL(request.url).pathname
      const body = Buffer.from(await request.arrayBuffer())
      const browser = browsers.get(path)
      const text = browser && decrypt(body, browser.ecdh, browser.auth)
      messages.push({ path, headers: request.headers, text, bytes: body.length })
      return new Response(null, { status: answer(path, messages.length) })
    },
  })
  const origin = `http://127.0.0.1:${server.port}`
  return {
    origin,
    messages,
    /** As a browser writes its subscription as JSON. */
    subscribe: (): { endpoint: string; expirationTime: null; keys: Keys } => {
      const path = `/push/${crypto.randomUUID()}`
      const ecdh = createECDH('prime256v1')
      ecdh.generateKeys()
      const auth = randomBytes(16)
      browsers.set(path, { ecdh, auth })
      const keys = { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') }
      return { endpoint: `${origin}${path}`, expirationTime: null, keys }
    },
    stop: () => server.stop(true),
  }
}

const hmac = (key: Buffer, data: Buffer): Buffer => createHmac('sha256', key).update(data).digest()

/** HKDF of RFC 5869, for as many bytes as a single hash has, or fewer. */
const derive = (salt: Buffer, secret: Buffer, info: Buffer, length: number): Buffer =>
  hmac(hmac(salt, secret), Buffer.concat([info, Buffer.of(1)])).subarray(0, length)

/** The one record of a message, for a key of P-256. */
export function decrypt(
  body: Buffer,
  own: ReturnType<typeof createECDH>,
  auth: Buffer,
): string | undefined {
  const salt = body.subarray(0, 16)
  const recordSize = body.readUInt32BE(16)
  const sender = body.subarray(21, 21 + body.readUInt8(20))
  const record = body.subarray(21 + sender.length)
  if (record.length > recordSize) return undefined
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), own.getPublicKey(), sender])
  const secret = derive(auth, own.computeSecret(sender), info, 32)
  const key = derive(salt, secret, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(salt, secret, Buffer.from('Content-Encoding: nonce\0'), 12)
  try {
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    // The last record ends with a 2, and what fills it up.
    const end = padded.lastIndexOf(2)
    return padded.subarray(0, end).toString()
  } catch {
    return undefined
  }
}

/** Who has signed a push, for whom, and until when. Throws where it is not signed by this key. */
export function claimsOf(headers: Headers, publicKey: string): Record<string, unknown> {
  const [, jwt = '', key = ''] =
    /^vapid t=([^,]+), ?k=(.+)$/.exec(headers.get('authorization') ?? '') ?? []
  if (key !== publicKey) throw new Error('It is signed with another key.')
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  const point = Buffer.from(key, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned || JSON.parse(Buffer.from(head, 'base64url').toString()).alg !== 'ES256') {
    throw new Error('The signature is wrong.')
  }
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}
