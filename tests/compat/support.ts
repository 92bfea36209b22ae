import type { App } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { type Answer, createTestApp, type TestUser } from '../support/app.ts'
import { checkAnswer } from '../support/conformance.ts'

const apps = new Map<string, App>()

/** The app with this COMPAT. */
export function appFor(text: string): App {
  const known = apps.get(text) ?? createTestApp({ compat: readConfig({ COMPAT: text }).compat })
  apps.set(text, known)
  return known
}

export type Frontend = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** A frontend of a user, as the one that COMPAT is set for: each answer is held against the document that it gets. */
export function frontend({ authorization }: TestUser, compat: string): Frontend {
  const app = appFor(compat)
  return async (method, path, body, headers = {}) => {
    const response = await app.handle(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    )
    const text = await response.text()
    const json = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
    const answer = {
      status: response.status,
      headers: response.headers,
      body: json ? JSON.parse(text) : undefined,
      text,
    }
    await checkAnswer(app, method, path, answer)
    return answer
  }
}
