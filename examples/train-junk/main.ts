// A junk filter without a mail server: it learns a few messages, says why it takes one for spam, and forgets again.
import { createMemoryCorpus } from '@postern/junk/corpus'
import { createJunkFilter } from '@postern/junk/filter'

const corpus = createMemoryCorpus()
// Five messages of either are enough for a show; leave it out to wait for fifty.
const filter = createJunkFilter({ significantFrom: { ham: 5, spam: 5 } }, corpus)

const ham = ['minutes of the meeting', 'lunch on friday?', 'the budget for next year', 'photos of the garden', 'train to the meeting']
const spam = ['cheap pills, no prescription', 'you won $1,000,000', 'cheap watches, limited offer', 'pills for less money', 'offer ends today!']
const compose = (text: string): Uint8Array => Buffer.from(`From: someone@example.org\r\nSubject: ${text}\r\n\r\n${text}\r\n`)

// Many messages are best learned in batches: a corpus takes each batch whole or not at all.
await filter.study(ham.map((text) => ({ message: compose(text), verdict: 'ham', kind: 'learn' })))
await filter.study(spam.map((text) => ({ message: compose(text), verdict: 'spam', kind: 'learn' })))

const message = compose('cheap pills: an offer for less money')
const { probability, verdict, significant, words } = await filter.classify(message)
console.log(`${verdict} with ${(100 * probability).toFixed(0)} %${significant ? '' : ', but too little was learned yet'}, because of`)
for (const { word, ham: inHam, spam: inSpam } of words.slice(0, 5)) console.log(`  ${word} (in ${inHam} of ham, ${inSpam} of spam)`)

// Someone says that it was wanted: it is learned as ham. Had it been learned as spam, `retrain` would move it.
await filter.train(message, 'ham')
console.log(`now ${(100 * (await filter.classify(message)).probability).toFixed(0)} %, ${corpus.size} words known`)

// The same octets with the same verdict are forgotten exactly.
await filter.untrain(message, 'ham')
console.log(`and again ${(100 * (await filter.classify(message)).probability).toFixed(0)} %`)
