import { expect, test } from 'bun:test'
import { readTable } from '../../src/imports/csv.ts'

const rowsOf = (text: string) =>
  readTable(text, ['a', 'b'])?.rows.map(({ line, get }) => [line, get('a'), get('b')])

test('reads quotation marks, separators and line ends within them, and counts lines', () => {
  expect(rowsOf('a,b\r\n"1, ""one""","x\r\ny"\r\n2,z\r\n')).toEqual([
    [2, '1, "one"', 'x\r\ny'],
    [4, '2', 'z'],
  ])
})

test.each([',', ';', '\t'])('takes %j as the separator', (separator) => {
  const text = ['a,b', '1,"2;3,4\t5"', '6,'].join('\n').replaceAll(/,(?=b|"|$)/gm, separator)

  expect(rowsOf(text)).toEqual([
    [2, '1', '2;3,4\t5'],
    [3, '6', ''],
  ])
})

test('finds the header in any case and order, below whatever is above it', () => {
  expect(rowsOf('"Status:\n0 Normal"\n\nVersion 7\n B ,other, A\n1,2,3\n,,\n4\r5,,6')).toEqual([
    [6, '3', '1'],
    [8, '', '4'],
    [9, '6', '5'],
  ])
})

test('takes a quotation mark that nothing closes for a letter, and says where it is', () => {
  const table = readTable('a,b\n1,"2\n3,4\n', ['a', 'b'])

  expect(table?.unclosed).toBe(2)
  expect(table?.rows.map(({ get }) => get('b'))).toEqual(['"2', '4'])
  expect(rowsOf('a,b\n1"2,"3"4\n')).toEqual([[2, '1"2', '34']])
})

test('knows no table without its columns', () => {
  expect(readTable('a,c\n1,2', ['a', 'b'])).toBeNull()
  expect(readTable('', ['a', 'b'])).toBeNull()
})
