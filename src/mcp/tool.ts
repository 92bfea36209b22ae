import type { Static, TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Scope } from '../auth/scopes.ts'
import { invalid, Problem } from '../http/problem.ts'
import { findFaults } from '../http/validation.ts'
import type { Caller } from './caller.ts'
import { namesIn } from './fields.ts'
import { lenient, wire } from './wire.ts'

// What all tools share.

export type Json = Record<string, unknown>

/** By these hints clients decide whether to ask their person first. */
type Hints = { readOnlyHint: boolean; destructiveHint?: boolean; idempotentHint?: boolean }

export const reading: Hints = { readOnlyHint: true }
export const adding: Hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: false }
export const settling: Hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: true }
export const removing: Hints = { readOnlyHint: false, destructiveHint: true, idempotentHint: true }

type Definition<T extends TObject> = {
  name: string
  title: string
  description: string
  hints: Hints
  /** Not for who may see only some lists. */
  isOfAll?: boolean
  input: T
  /** What is looked at in place of it, where its parts have an outcome each. */
  checked?: TObject
  call: (caller: Caller, args: Static<T>) => Promise<Json>
}

export type Tool = {
  name: string
  scope: Scope
  isOfAll: boolean
  /** As clients are told of it. */
  listed: Json
  /** @throws Problem 403, 422; Refused */
  call: (caller: Caller, args: object) => Promise<Json>
}

/** A tool that is given what was meant, if that is what it takes. */
export function tool<const T extends TObject>(definition: Definition<T>): Tool {
  const { name, title, description, hints, isOfAll = false, input, call } = definition
  const { checked = input } = definition
  return {
    name,
    isOfAll,
    scope: hints.readOnlyHint ? 'tasks:read' : 'tasks:write',
    listed: {
      name,
      title,
      description,
      inputSchema: wire(input),
      annotations: { ...hints, openWorldHint: false },
    },
    call: async (caller, given) => {
      const args = lenient(input, given)
      if (!Value.Check(checked, args)) {
        const { message, errors } = invalid(findFaults(Value.Errors(checked, args)))
        const isUnknown = errors?.some(({ detail }) => detail === 'is not known here')
        const hint = isUnknown ? ` ${name} takes ${namesIn(input) || 'no arguments'}.` : ''
        throw new Problem(422, `${message}${hint}`)
      }
      const { user_id: whose, ...rest }: Json = args
      if (whose !== undefined && whose !== 'me' && whose !== caller.user.id) {
        throw new Problem(403, 'user_id is that of another user: leave it out.')
      }
      return call(caller, rest)
    },
  }
}
