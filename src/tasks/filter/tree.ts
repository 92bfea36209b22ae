import type { Bound } from './days.ts'

// What a filter is once it was read. parse.ts reads it.

/** Conditions put together. */
export type Tree<Leaf> = { all: Tree<Leaf>[] } | { any: Tree<Leaf>[] } | { not: Tree<Leaf> } | Leaf

/** A part of the text of a filter. */
export type Place = { at: number; length: number }

export type Priority = 'none' | 'low' | 'medium' | 'high'
export type DayField = 'due' | 'created' | 'updated' | 'completed'
export type TextField = 'title' | 'description' | 'text'
export type Given = DayField | 'time' | 'description' | 'tag' | 'list' | 'parent'

/** What means the same whoever asks, and whenever. Words and tags are folded. */
type Plain =
  | { is: 'completed' }
  | { is: 'priority'; of: Priority[] }
  | { is: 'tag'; key: string }
  | { is: 'given'; field: Given }
  | { is: 'words'; in: TextField; words: string }

/** A condition as it is written. */
export type Condition =
  | Plain
  | { is: 'overdue' }
  | { is: 'day'; field: DayField; from: Bound | null; to: Bound | null }
  /** By its folded name, or its id. */
  | { is: 'list'; key: string; id: string | null; place: Place }
  /** What is kept under this name. */
  | { is: 'saved'; key: string; place: Place }

/** A condition as a task has it or not. */
export type Test =
  | Plain
  | { is: 'never' }
  /** Days for a due date; for the others the instants when they begin and are over. */
  | { is: 'between'; field: DayField; from: string | null; to: string | null }
  | { is: 'in'; lists: string[] }
  /** In a list that the caller may see. */
  | { is: 'within'; lists: readonly string[] }

export type Filter = Tree<Condition>
export type Tests = Tree<Test>

/** A text that is no filter: what is wrong with it, and where, in characters as JavaScript counts them. */
export class FilterError extends Error {
  readonly at: number
  readonly length: number

  constructor(message: string, { at, length }: Place) {
    super(message)
    this.at = at
    this.length = length
  }
}

/** The leaves of a tree, in their order. */
export function leavesOf<Leaf extends object>(tree: Tree<Leaf>): Leaf[] {
  if ('all' in tree) return tree.all.flatMap(leavesOf)
  if ('any' in tree) return tree.any.flatMap(leavesOf)
  return 'not' in tree ? leavesOf(tree.not) : [tree]
}

/** The same tree with other leaves, or with trees in their place. */
export function mapLeaves<From extends object, To extends object>(
  tree: Tree<From>,
  map: (leaf: From) => Tree<To>,
): Tree<To> {
  if ('all' in tree) return { all: tree.all.map((part) => mapLeaves(part, map)) }
  if ('any' in tree) return { any: tree.any.map((part) => mapLeaves(part, map)) }
  return 'not' in tree ? { not: mapLeaves(tree.not, map) } : map(tree)
}
