/**
 * Messages that are got one by one and settled together. A queue takes 32 settlements of a channel at a time; others wait, and
 * are forgotten when the channel closes. The next "get" waits for all before it.
 */
export const maxUnsettled = 30
