/** The states of a conversation, and which commands may be given in them. RFC 3501 §3 */

export type State = 'not-authenticated' | 'authenticated' | 'selected' | 'logout'

/** Commands valid in every state in which one can be given. */
export const ANY_STATE: readonly State[] = ['not-authenticated', 'authenticated', 'selected']
export const NOT_AUTHENTICATED: readonly State[] = ['not-authenticated']
/** Commands of the authenticated state are valid in the selected state too. */
export const AUTHENTICATED: readonly State[] = ['authenticated', 'selected']
export const SELECTED: readonly State[] = ['selected']
