import { readFileSync } from 'node:fs'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export type Received = {
  from: string
  to: string[]
  text: string
  /** Who had signed in, and whether nobody could read along. */
  user: string | undefined
  secure: boolean
}

/** A receiver of mails, with `tls` one that offers STARTTLS or, with `secure`, is encrypted from the first byte on. */
export async function startMailServer(
  host: string,
  tls: { key: string; certificate: string } | null,
  options: SMTPServerOptions = {},
) {
  const mails: Received[] = []
  /** What came in before anything was encrypted, or not. */
  let attempts = 0
  const server = new SMTPServer({
    ...(tls === null
      ? { disabledCommands: ['STARTTLS'], allowInsecureAuth: true }
      : { key: readFileSync(tls.key), cert: readFileSync(tls.certificate) }),
    onAuth: ({ username, password }, _session, callback) => {
      attempts += 1
      if (password === 'pass word') callback(null, { user: username })
      else callback(new Error('a wrong password'))
    },
    onData: (stream, { envelope, user, secure }, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString(),
          user,
          secure,
        })
        callback()
      })
    },
    ...options,
  })
  // Who hangs up because of a certificate is no fault of the test.
  server.on('error', () => {})
  const listening = server.listen(0, host)
  await new Promise((resolve) => listening.once('listening', resolve))
  const address = listening.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    attempts: () => attempts,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
