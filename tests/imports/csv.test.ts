import { expect, test } from 'bun:test'
import { readTable } from '../../src/imports/csv.ts'

const read = (text: string) => readTable(text, ['a', 'b'], async () => {})
const rowsOf = async (text: string) =>
  (await read(text))?.rows.map(({ line, get }) => [line, get('a'), get('b')])

test('reads quotation marks, separators and line ends within them, and counts lines', async () => {
  expect(await rowsOf('a,b\r\n"1, ""one""","x\r\ny"\r\n2,z\r\n')).toEqual([
    [2, '1, "one"', 'x\r\ny'],
    [4, '2', 'z'],
  ])
})

test.each([',', ';', '\t'])('takes %j as the separator', async (separator) => {
  const text = ['a,b', '1,"2;3,4\t5"', '6,'].join('\n').replaceAll(/,(?=b|"|$)/gm, separator)

  expect(await rowsOf(text)).toEqual([
    [2, '1', '2;3,4\t5'],
    [3, '6', ''],
  ])
})

test('finds the header in any case and order, below whatever is above it', async () => {
  expect(
    await rowsOf('"Status:\n0 Normal"\n\nVersion 7\n B ,other, A\n1,2,3\n,,\n4\r5,,6'),
  ).toEqual([
    [6, '3', '1'],
    [8, '', '4'],
    [9, '6', '5'],
  ])
})

test('takes a quotation mark that nothing closes for a letter, and says where it is', async () => {
  const table = await read('a,b\n1,"2\n3,4\n')

  expect(table?.unclosed).toBe(2)
  expect(table?.rows.map(({ get }) => get('b'))).toEqual(['"2', '4'])
  expect(await rowsOf('a,b\n1"2,"3"4\n')).toEqual([[2, '1"2', '34']])
})

test('knows no table without its columns', async () => {
  expect(await read('a,c\n1,2')).toBeNull()
  expect(await read('')).toBeNull()
})
