// What `import … with { type: 'file' }` gives: a path, on disk or inside the compiled binary.
declare module '@electric-sql/pglite/pglite.wasm' {
  const path: string
  export default path
}

declare module '@electric-sql/pglite/pglite.data' {
  const path: string
  export default path
}
