/** A part of the page that its HTML has. */
export function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} with the id ${id}.`)
  return found
}

type Attributes = Record<string, string | boolean>

/** A new element. Texts are texts: nothing that a user wrote is ever read as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, '')
    else if (value !== false) element.setAttribute(key, value)
  }
  element.append(...content)
  return element
}

/** Puts nodes into a parent, in order, and moves none that is where it belongs: what has the focus keeps it. */
export function arrange(parent: Element, nodes: readonly Element[]): void {
  const all = new Set(nodes)
  for (const child of Array.from(parent.children)) if (!all.has(child)) child.remove()
  for (const [index, node] of nodes.entries()) {
    const there = parent.children[index]
    if (there !== node) parent.insertBefore(node, there ?? null)
  }
}
