/** Makes names in a directory durable: what was created, renamed or removed there survives power loss afterwards. */
import { open } from 'node:fs/promises'

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
