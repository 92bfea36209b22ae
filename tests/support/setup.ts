import { setDefaultTimeout } from 'bun:test'

// Nothing here is slow, but machines are: a process that starts for the first time may need its seconds.
setDefaultTimeout(30_000)
