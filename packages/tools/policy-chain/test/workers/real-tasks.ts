export type RealTasks = Record<'pay' | 'mail', { readonly task: string }>

/** What becomes of a task, told by the beginning of its id. */
export function fateOf(id: string): 'done' | 'declined' | 'doomed' {
  if (id.startsWith('declined')) return 'declined'
  return id.startsWith('doomed') ? 'doomed' : 'done'
}
