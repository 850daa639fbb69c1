/** Why a policy can't be evaluated. Caught at the end of the evaluation; never leaves it. */
export class SpfProblem extends Error {
  override readonly name = 'SpfProblem'
  readonly result: 'permerror' | 'temperror'

  constructor(result: 'permerror' | 'temperror', text: string) {
    super(text)
    this.result = result
  }
}
