import { expect, test } from 'bun:test'
import { createLoad, type Load } from '../../src/http/load.ts'

// What is decided; fairness.test.ts has what comes of it over HTTP.

let now = 1000

/** As many requests of the owner as are let in, with what ends them. */
function fill(load: Load, owner: string, count: number): (() => void)[] {
  const ends: (() => void)[] = []
  for (let index = 0; index < count; index += 1) {
    const place = load.enter()
    if (place === null) break
    if (place.claim(owner)) ends.push(() => place.leave(true))
    else place.leave(false)
  }
  return ends
}

const isLetIn = (load: Load, owner: string): boolean => {
  const [end] = fill(load, owner, 1)
  end?.()
  return end !== undefined
}

/** Answers of somebody else, one after each of these gaps in milliseconds. */
function answer(load: Load, gaps: number[]): void {
  for (const gap of gaps) {
    now += gap
    expect(isLetIn(load, 'somebody else')).toBe(true)
  }
}

/** A load of so many requests of one user, of which answers came after these gaps. */
function loadAfter(inFlight: number, gaps: number[]): Load {
  const load = createLoad(64, 250, 1024, () => now)
  expect(fill(load, 'alice', inFlight).length).toBe(inFlight)
  answer(load, gaps)
  return load
}

const every = (milliseconds: number, answers = 200): number[] =>
  Array.from({ length: answers }, () => milliseconds)

/** Those of answers that come many at a time. */
const bursts = (gap: number, times: number): number[] =>
  Array.from({ length: times }, () => [gap, ...every(0, 31)]).flat()

test('lets in many while they are answered fast', () => {
  expect(isLetIn(loadAfter(400, every(0.1)), 'alice')).toBe(true)
})

test('lets in no more than can be answered in time while they are slow', () => {
  expect(isLetIn(loadAfter(64, every(4)), 'alice')).toBe(false)
  expect(isLetIn(loadAfter(100, every(4)), 'alice')).toBe(false)
})

test('refuses nobody for one gap among many answers', () => {
  expect(isLetIn(loadAfter(256, [...bursts(4, 50), 60]), 'alice')).toBe(true)
})

test('forgets a time without answers as soon as there are many', () => {
  const load = loadAfter(128, [0, 5000])
  expect(isLetIn(load, 'alice')).toBe(false)
  answer(load, every(0.05, 256))
  expect(isLetIn(load, 'alice')).toBe(true)
})

test('is not deceived by answers that come together', () => {
  expect(isLetIn(loadAfter(256, bursts(40, 50)), 'alice')).toBe(false)
})

test('lets in some in any case', () => {
  expect(isLetIn(loadAfter(63, every(1000)), 'alice')).toBe(true)
})

test('learns nothing from the time in which there was little to do', () => {
  const load = loadAfter(4, every(5000))

  expect(fill(load, 'alice', 200).length).toBe(200)
})

test('learns nothing from what was refused, or has no user', () => {
  const load = loadAfter(200, every(40))
  for (let index = 0; index < 1000; index += 1) {
    const [refused, stranger] = [load.enter(), load.enter()]
    refused?.claim('bob')
    refused?.leave(false)
    stranger?.hold('address 203.0.113.7')
    stranger?.leave(true)
  }

  expect(isLetIn(load, 'alice')).toBe(false)
})

test('has those wait who have many in flight, however slow all of it is', () => {
  const load = loadAfter(200, every(150))

  for (const other of ['bob', 'carol', 'dave']) expect(fill(load, other, 5).length).toBe(5)
  expect(isLetIn(load, 'alice')).toBe(false)
})

test('refuses many users too, when they are more than can have their turn in time', () => {
  const load = loadAfter(1, [])
  fill(load, 'bob', 9)
  answer(load, every(4))
  let users = 0
  while (users < 500 && fill(load, `user ${users}`, 1).length === 1) users += 1

  expect(users).toBeGreaterThan(50)
  expect(users).toBeLessThan(70)
})

test.each([1, 2, 3, 7, 30])(
  'leaves room for who has nothing in flight, beside %p who want all',
  (users) => {
    const load = createLoad(64, 250, 1024, () => now)
    for (let round = 0; round < 1000; round += 1) {
      for (let user = 0; user < users; user += 1) fill(load, `user ${user}`, 1)
    }

    expect(load.inFlight).toBeLessThan(1024)
    expect(load.owners).toBe(users)
    expect(fill(load, 'a newcomer', 8).length).toBe(8)
  },
)

test('leaves the same room beside addresses whose users are not known yet', () => {
  const load = createLoad(64, 250, 1024, () => now)
  let held = 0
  for (let index = 0; index < 2000; index += 1) {
    const place = load.enter()
    if (place?.hold('address 203.0.113.7')) held += 1
    else place?.leave(false)
  }

  expect(held).toBe(512)
  expect(fill(load, 'alice', 100).length).toBe(100)
})

test('has no place left at the end, and says so before anybody is known', () => {
  const load = createLoad(64, 250, 1024, () => now)
  for (let user = 0; user < 2000; user += 1) fill(load, `user ${user}`, 1)

  expect(load.inFlight).toBe(1024)
  expect(load.enter()).toBeNull()
})

test('counts nobody who waits, and asks again when he comes back', () => {
  const load = createLoad(4, 250, 16)
  const places = Array.from({ length: 12 }, () => {
    const place = load.enter()
    if (!place?.claim('alice')) throw new Error('expected a place')
    place.setWaiting(true)
    return place
  })
  expect([load.inFlight, load.owners]).toEqual([0, 0])

  for (const place of places) place.setWaiting(false)
  expect([load.inFlight, load.owners]).toEqual([12, 1])
  expect(places.some((place) => place.isWelcome())).toBe(false)

  for (const place of places) place.leave(false)
  expect([load.inFlight, load.owners]).toEqual([0, 0])
})

test('ends at nothing, whatever became of a request', () => {
  const load = createLoad(4, 250, 16)
  const begin = () => {
    const place = load.enter()
    if (place === null) throw new Error('expected a place')
    return place
  }
  begin().leave(true)

  const held = begin()
  held.hold('address')
  held.setWaiting(true)
  held.setWaiting(true)
  held.setWaiting(false)
  expect(load.inFlight).toBe(0)
  held.setWaiting(false)
  expect(load.inFlight).toBe(1)
  held.claim('alice')
  held.leave(true)

  const late = begin()
  late.claim('alice')
  late.setWaiting(true)
  late.leave(false)
  late.setWaiting(false)

  expect([load.inFlight, load.owners]).toEqual([0, 0])
})

test('forgets who has nothing in flight, and nobody who has', () => {
  const load = createLoad(64, 250, 1024, () => now)
  const [end] = fill(load, 'alice', 1)
  for (let user = 0; user < 10_000; user += 1) isLetIn(load, `user ${user}`)
  fill(load, 'alice', 1)

  expect([load.inFlight, load.owners]).toEqual([2, 1])
  end?.()
  expect([load.inFlight, load.owners]).toEqual([1, 1])
})
