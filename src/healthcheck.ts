import { connect } from 'node:net'
import { type Config, OperatorError } from './config.ts'

/** Milliseconds that the server has to answer. */
const patience = 5000

/**
 * Asks the server of this configuration how it is, and says so: for images that have neither a shell nor curl.
 * Over a socket, since `fetch` would go through the proxy that HTTP_PROXY names.
 * @throws OperatorError where it is not well
 */
export async function checkHealth({ host, port }: Config, path: string): Promise<void> {
  if (port === 0) throw new OperatorError('Cannot check a server on any port: set PORT.')
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  const at = `${address.includes(':') ? `[${address}]` : address}:${port}`
  const heard = await ask(address, port, path)
  const status = /^HTTP\/1\.\d (\d{3})/.exec(heard)?.[1]
  if (status !== '200') {
    throw new OperatorError(
      `Docket at ${at} is not well: ${path} ${status === undefined ? heard : `answered ${status}`}.`,
    )
  }
  console.log(`Docket at ${at} is well.`)
}

/** @returns what it answers, or what went wrong, as the rest of a sentence */
function ask(host: string, port: number, path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  const socket = connect({ host, port }, () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`))
  socket.on('data', (data) => {
    heard += data.toString('latin1')
  })
  socket.on('error', (error) => resolve(`cannot be asked (${error.message})`))
  socket.on('close', () => resolve(heard || 'was not answered'))
  const timer = setTimeout(() => {
    resolve(`did not answer within ${patience / 1000} seconds`)
    socket.destroy()
  }, patience)
  return promise.finally(() => clearTimeout(timer))
}
