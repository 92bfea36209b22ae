import { expect, test } from 'bun:test'
import {
  createSharedMemory,
  withSharedMemory,
} from '../../../src/database/embedded/shared-memory.ts'

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const section = (id: number, ...body: number[]) => [id, body.length, ...body]
const text = (value: string) => [value.length, ...Buffer.from(value)]
/** A module out of its sections. */
const module = (...sections: number[][]) => Uint8Array.from([...header, ...sections.flat()])

const type = section(1, 1, 0x60, 0, 0)
const custom = section(0, ...text('note'), 1, 2, 3)
const fn = [...text('env'), ...text('f'), 0, 0]
const table = [...text('env'), ...text('t'), 1, 0x70, 1, 1, 0x80, 2]
const global = [...text('env'), ...text('g'), 3, 0x7f, 0]
const memory = (...limits: number[]) => [...text('env'), ...text('memory'), 2, ...limits]

test.each([
  ['without a maximum', module(type, section(2, 1, ...memory(0, 1)))],
  ['with a maximum', module(type, section(2, 1, ...memory(1, 1, 0x80, 0x80, 2)))],
  [
    'among other imports and sections',
    module(custom, type, section(2, 4, ...fn, ...table, ...global, ...memory(0, 0x80, 1)), custom),
  ],
])('a module that imports a memory %s imports a shared one', (_, bytes) => {
  const [own, shared] = [{ initial: 2048, maximum: 32_768 }, createSharedMemory()]
  const imports = (env: object) => ({
    env: {
      ...env,
      f() {},
      g: 1,
      t: new WebAssembly.Table({ element: 'anyfunc', initial: 1, maximum: 256 }),
    },
  })
  const before = new WebAssembly.Module(bytes)
  const after = new WebAssembly.Module(withSharedMemory(bytes))

  expect(
    () => new WebAssembly.Instance(before, imports({ memory: new WebAssembly.Memory(own) })),
  ).not.toThrow()
  expect(() => new WebAssembly.Instance(before, imports({ memory: shared }))).toThrow('shared')
  expect(() => new WebAssembly.Instance(after, imports({ memory: shared }))).not.toThrow()
})

test.each([
  ['imports nothing', module(type)],
  ['imports no memory', module(type, section(2, 2, ...fn, ...global))],
])('a module that %s stays as it is', (_, bytes) => {
  expect(withSharedMemory(bytes)).toBe(bytes)
})

test('a module that is cut short is refused', () => {
  expect(() => withSharedMemory(module(type, [2, 9, 1, 3]))).toThrow('cut short')
})
