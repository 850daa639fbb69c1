/** Cases of the store suite about accounts, secrets and the store as a whole. */
import assert from 'node:assert/strict'
import type { StoreCase } from './mail-store.ts'
import { append, letter, namesOf, newAccount, opened, refused, row, rows, spooled, text } from './store-steps.ts'

const octets = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

export const accountCases: readonly StoreCase[] = [
  [
    'an account begins with an inbox and nothing else',
    async (store) => {
      const account = await store.createAccount('ann')
      assert.equal(account.name, 'ann')
      assert.deepEqual(await namesOf(account), ['INBOX'])
      assert.deepEqual(await account.subscriptions(), [])
      const { snapshot } = await opened(account)
      assert.equal(snapshot.uids.size, 0)
      assert.equal(snapshot.status.uidNext, 1)
      assert.equal(snapshot.firstUnseen, undefined)
      assert.equal(snapshot.recent, undefined)
      assert.deepEqual(snapshot.keywords, [])
      assert(snapshot.status.uidValidity >= 1 && snapshot.status.uidValidity < 2 ** 32)
      assert(snapshot.modseq >= 1 && snapshot.status.highestModseq >= 1)
    },
  ],
  [
    'accounts are listed, found by exact name, and apart from each other',
    async (store) => {
      assert.deepEqual(await store.accounts(), [])
      const zoe = await store.createAccount('zoë')
      const ann = await store.createAccount('ann')
      assert.deepEqual([...(await store.accounts())].sort(), ['ann', 'zoë'])
      await append(zoe, 'INBOX', letter('for zoe'))
      assert.equal((await rows(await opened(ann))).length, 0)
      assert.equal((await store.account('zoë'))?.name, 'zoë')
      assert.equal(await store.account('Ann'), undefined)
    },
  ],
  [
    'a taken name is refused',
    async (store) => {
      await store.createAccount('ann')
      await refused(store.createAccount('ann'), 'STORE_EXISTS')
      const racers = await Promise.allSettled(Array.from({ length: 5 }, () => store.createAccount('bob')))
      assert.equal(racers.filter((racer) => racer.status === 'fulfilled').length, 1)
    },
  ],
  [
    'two handles of one account see the same mail',
    async (store) => {
      const ann = await newAccount(store)
      const again = await store.account('ann')
      assert(again !== undefined)
      await append(again, 'INBOX', letter('one'))
      assert.equal((await rows(await opened(ann))).length, 1)
    },
  ],
  [
    'a removed account is gone, and its name begins anew with a higher UIDVALIDITY',
    async (store) => {
      const ann = await newAccount(store, 'Work')
      await append(ann, 'INBOX', letter('old'))
      await ann.setSubscribed('Work', true)
      await store.saveSecret('ann', 'scram', octets('secret'))
      const former = (await opened(ann)).snapshot.status.uidValidity
      assert.equal(await store.removeAccount('ann'), true)
      assert.equal(await store.removeAccount('ann'), false)
      assert.equal(await store.account('ann'), undefined)
      assert.equal(await store.secret('ann', 'scram'), undefined)
      const again = await store.createAccount('ann')
      assert.deepEqual(await namesOf(again), ['INBOX'])
      assert.deepEqual(await again.subscriptions(), [])
      const { snapshot } = await opened(again)
      assert.equal(snapshot.uids.size, 0)
      assert(snapshot.status.uidValidity > former)
      assert.equal(await store.secret('ann', 'scram'), undefined)
    },
  ],
  [
    'secrets are kept by kind, replaced, removed, and copied',
    async (store) => {
      await newAccount(store)
      const value = octets('one')
      await store.saveSecret('ann', 'scram-sha-256', value)
      await store.saveSecret('ann', 'cram-md5', octets('two'))
      value.fill(0)
      const read = await store.secret('ann', 'scram-sha-256')
      assert.deepEqual(read, octets('one'))
      read.fill(0)
      assert.deepEqual(await store.secret('ann', 'scram-sha-256'), octets('one'))
      await store.saveSecret('ann', 'scram-sha-256', octets('three'))
      assert.deepEqual(await store.secret('ann', 'scram-sha-256'), octets('three'))
      await store.saveSecret('ann', 'scram-sha-256', undefined)
      assert.equal(await store.secret('ann', 'scram-sha-256'), undefined)
      assert.deepEqual(await store.secret('ann', 'cram-md5'), octets('two'))
      assert.equal(await store.secret('bob', 'cram-md5'), undefined)
      await store.saveSecret('ann', 'big', new Uint8Array(4000).fill(7))
      assert.equal((await store.secret('ann', 'big'))?.length, 4000)
      await assert.rejects(store.saveSecret('ann', 'big', new Uint8Array(4001)))
      await assert.rejects(store.saveSecret('bob', 'scram', octets('x')))
    },
  ],
  [
    'a spooled message may go to several accounts',
    async (store) => {
      const ann = await store.createAccount('ann')
      const bob = await store.createAccount('bob')
      const message = await spooled(store, letter('to both'))
      await ann.append('INBOX', [{ message, flags: 0, keywords: [] }])
      await bob.append('INBOX', [{ message, flags: 0, keywords: [], prefix: octets('X-For: bob\r\n') }])
      message.release()
      for (const [account, prefix] of [
        [ann, ''],
        [bob, 'X-For: bob\r\n'],
      ] as const) {
        const open = await opened(account)
        assert.equal(await text(open, (await row(open, 1)).emailId), prefix + letter('to both'))
      }
    },
  ],
  [
    'a spooled message tells size, hash, structure and octets; an aborted one tells nothing',
    async (store) => {
      const message = await spooled(store, 'Subject: x\r\n\r\nüöä')
      assert.equal(message.sizeOctets, 20)
      assert.equal(message.eightBit, true)
      assert.equal(message.sha256.length, 32)
      assert.equal(message.structure.root.bodyStart, 14)
      assert.equal(Buffer.from(await message.read(9, 12)).toString(), 'x\r\n')
      assert.equal((await message.read(14, 9999)).length, 6)
      message.release()
      const ascii = await spooled(store, 'Subject: x\r\n\r\ny')
      assert.equal(ascii.eightBit, false)
      ascii.release()
      const sink = store.spool()
      await sink.write(octets('half a mess'))
      sink.abort(new Error('peer went away'))
    },
  ],
  [
    'what was told is there after reopening',
    async (store, reopen) => {
      if (reopen === undefined) return
      const ann = await newAccount(store, 'Work/Now')
      await append(ann, 'Work/Now', letter('kept'), { flags: 5, keywords: ['Blue'] })
      await ann.setSubscribed('Work', true)
      await store.saveSecret('ann', 'scram', octets('secret'))
      const before = (await opened(ann, 'Work/Now', 'read-only')).snapshot
      const again = await reopen()
      const account = await again.account('ann')
      assert(account !== undefined)
      assert.deepEqual(await namesOf(account), ['INBOX', 'Work', 'Work/Now'])
      assert.deepEqual(await account.subscriptions(), ['Work'])
      assert.deepEqual(await again.secret('ann', 'scram'), octets('secret'))
      const open = await opened(account, 'Work/Now', 'read-only')
      assert.deepEqual({ ...open.snapshot, uids: [...open.snapshot.uids] }, { ...before, uids: [...before.uids] })
      assert.equal(await text(open, (await row(open, 1)).emailId), letter('kept'))
    },
  ],
  [
    'a closed store refuses, and may be closed again',
    async (store) => {
      const ann = await newAccount(store)
      await append(ann, 'INBOX', letter('one'))
      assert.equal(store.accepting, true)
      await store.close()
      await store.close()
      assert.equal(store.accepting, false)
      await refused(store.accounts(), 'STORE_CLOSED')
      await refused(store.createAccount('bob'), 'STORE_CLOSED')
    },
  ],
]
