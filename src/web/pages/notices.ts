import { make, part } from './dom.ts'

const toast = part('toast', HTMLDivElement)

/** Milliseconds that a notice stays. One that has the focus or the pointer stays for longer. */
const time = 8000

let timer: ReturnType<typeof setTimeout> | undefined

/** Says something, to who listens too, with what can be done about it. */
export function tell(text: string, action?: { name: string; run: () => void }): void {
  const button = action && make('button', { type: 'button' }, action.name)
  button?.addEventListener('click', () => {
    hide()
    action?.run()
  })
  toast.replaceChildren(make('span', {}, text), ...(button ? [button] : []))
  toast.classList.add('shown')
  wait()
}

function wait(): void {
  clearTimeout(timer)
  timer = setTimeout(() => (toast.matches(':hover, :focus-within') ? wait() : hide()), time)
}

function hide(): void {
  clearTimeout(timer)
  toast.classList.remove('shown')
  toast.replaceChildren()
}
