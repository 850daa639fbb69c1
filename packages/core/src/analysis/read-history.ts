/** Reads what an account remembers of a sender: one look-up for all of his names, one for whom the account wrote to. */
import type { AccountStore, Judgement, SenderIdentity } from '../store/index.ts'
import type { SenderHistory } from './reputation.ts'
import { correspondentsOf, identitiesOf, type Sender } from './sender.ts'

const NONE: readonly Judgement[] = []

/** @param mailbox the message would go to: what was judged of mail for other mailboxes doesn't count */
export async function readHistory(account: AccountStore, mailbox: string, sender: Sender): Promise<SenderHistory> {
  const identities = identitiesOf(sender)
  const asked: SenderIdentity[] = []
  const place = (identity: SenderIdentity | undefined): number => (identity === undefined ? -1 : asked.push(identity) - 1)
  const places = {
    fromAddress: place(identities.fromAddress),
    fromDomain: place(identities.fromDomain),
    fromOrganization: place(identities.fromOrganization),
    dkimDomains: identities.dkimDomains.map(place),
    mailFromAddress: place(identities.mailFromAddress),
    mailFromDomain: place(identities.mailFromDomain),
    heloDomain: place(identities.heloDomain),
    networks: identities.networks.map(place),
  }
  const correspondents = sender.from === undefined ? [] : correspondentsOf(sender.from, sender.organization)
  const [judgements, written] = await Promise.all([
    asked.length === 0 ? [] : account.judgements(mailbox, asked),
    correspondents.length === 0 ? [] : account.lastWroteTo(correspondents),
  ])
  const at = (index: number | undefined): readonly Judgement[] => (index === undefined ? NONE : (judgements[index] ?? NONE))
  const [narrow, middle, wide] = places.networks
  return {
    fromAddress: at(places.fromAddress),
    fromDomain: at(places.fromDomain),
    fromOrganization: at(places.fromOrganization),
    dkimDomains: places.dkimDomains.map(at),
    mailFromAddress: at(places.mailFromAddress),
    mailFromDomain: at(places.mailFromDomain),
    heloDomain: at(places.heloDomain),
    networks: [at(narrow), at(middle), at(wide)],
    wroteToAddress: written[0],
    wroteToDomain: written[1],
    wroteToOrganization: written[2],
  }
}
