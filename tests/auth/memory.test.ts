import { expect, setSystemTime, test } from 'bun:test'
import { type Identity, signIn } from '../../src/auth/identity.ts'
import { createMemory, type Memory } from '../../src/auth/memory.ts'

const identity = (seconds: number): Identity => ({
  id: 'alice',
  by: 'token',
  session_id: null,
  name: null,
  email: null,
  expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
  ...signIn,
})

/** As `identify` does it. */
const recall = async (memory: Memory, token: string, verify: () => Promise<Identity | null>) =>
  memory.recall(token) ?? memory.learn(token, verify)

/** Whoever is asked, and how often. */
function verifier(answer: Identity | null) {
  const asked = { times: 0 }
  return {
    asked,
    verify: async () => {
      asked.times += 1
      return answer
    },
  }
}

/** Runs a test at a time that it moves itself. */
async function atTimes(use: (forward: (seconds: number) => void) => Promise<void>) {
  const start = Date.now()
  let passed = 0
  setSystemTime(start)
  try {
    await use((seconds) => {
      passed += seconds
      setSystemTime(start + passed * 1000)
    })
  } finally {
    setSystemTime()
  }
}

test('asks once for the same token, for a minute', () =>
  atTimes(async (forward) => {
    const memory = createMemory()
    const { asked, verify } = verifier(identity(600))

    for (const seconds of [0, 0, 59]) {
      forward(seconds)
      expect(await recall(memory, 'a', verify)).toMatchObject({ id: 'alice' })
    }
    expect(asked.times).toBe(1)
    await recall(memory, 'b', verify)
    expect(asked.times).toBe(2)
    forward(2)
    await recall(memory, 'a', verify)
    expect(asked.times).toBe(3)
  }))

test('remembers no token beyond its expiry', () =>
  atTimes(async (forward) => {
    const memory = createMemory()
    const { asked, verify } = verifier(identity(10))

    await recall(memory, 'a', verify)
    forward(9)
    await recall(memory, 'a', verify)
    expect(asked.times).toBe(1)
    forward(1)
    await recall(memory, 'a', verify)
    expect(asked.times).toBe(2)
  }))

test('remembers nothing that is not valid', async () => {
  const memory = createMemory()
  const { asked, verify } = verifier(null)

  expect(await recall(memory, 'a', verify)).toBeNull()
  expect(await recall(memory, 'a', verify)).toBeNull()
  expect(asked.times).toBe(2)
})

test('remembers so many and no more', async () => {
  const memory = createMemory(3)
  const { asked, verify } = verifier(identity(600))

  for (const token of ['a', 'b', 'c', 'd']) await recall(memory, token, verify)
  expect(asked.times).toBe(4)
  for (const token of ['b', 'c', 'd']) await recall(memory, token, verify)
  expect(asked.times).toBe(4)
  await recall(memory, 'a', verify)
  expect(asked.times).toBe(5)
})
