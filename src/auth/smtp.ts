// Loaded with the first mail: who sends none needs no SMTP.
import { createTransport } from 'nodemailer'
import type { SmtpConfig } from '../config.ts'
import { type Mail, patience, Undelivered } from './mail.ts'

/**
 * Sends it, and is done when the server has taken it. Where it goes to another machine it is encrypted, and the server has a
 * certificate for its name, or nothing is sent at all.
 * @param host what the product is called where the sender has no name
 */
export async function sendBySmtp(config: SmtpConfig, mail: Mail, host: string): Promise<void> {
  const { host: server, port, isTls, isHere, login, from } = config
  const transport = createTransport({
    host: server,
    port,
    secure: isTls,
    requireTLS: !isHere,
    ignoreTLS: isHere,
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({
      from,
      // One recipient, whatever is in it.
      to: { name: '', address: mail.to },
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...write(mail, from.name || host),
    })
  } catch (error) {
    const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
    throw new Undelivered('the server of AUTH_SMTP_URL did not take it', { code, responseCode })
  } finally {
    transport.close()
  }
}

/** What each mail says. Not the name of the account: somebody else may have put it there, for the recipient to read. */
const texts = {
  verify_email: (product: string) => ({
    subject: `Confirm your e-mail address for ${product}`,
    request: `Somebody, hopefully you, has registered at ${product} with this e-mail address. To confirm that it is yours, open this link in the browser that you are signed in with:`,
    button: 'Confirm the address',
    notice:
      'The link works for a day. If it was not you, there is nothing to do: without this confirmation nobody keeps you from using your address.',
  }),
  reset_password: (product: string) => ({
    subject: `Reset your password for ${product}`,
    request: `Somebody, hopefully you, has asked for a new password at ${product}. To choose one, open this link:`,
    button: 'Choose a new password',
    notice:
      'The link works once, and for an hour. If it was not you, there is nothing to do: your password stays as it is.',
  }),
} satisfies Record<Mail['kind'], unknown>

function write({ kind, url }: Mail, product: string) {
  const { subject, request, button, notice } = texts[kind](product)
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escape(subject)}</title>
<body style="font-family: sans-serif; line-height: 1.5">
<p>${escape(request)}</p>
<p><a href="${escape(url)}">${escape(button)}</a></p>
<p>${escape(notice)}</p>
</body>
</html>
`
  return { subject, text: `${request}\n\n${url}\n\n${notice}\n`, html }
}

const escape = (text: string): string => Bun.escapeHTML(text)
